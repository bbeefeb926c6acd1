"""A run: one question, from its acceptance to its end, in a record that outlives the process that serves it."""
