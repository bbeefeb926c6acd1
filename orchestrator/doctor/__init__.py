"""The doctor: looks at everything that the app needs, says how it is, why that matters and what mends it."""
