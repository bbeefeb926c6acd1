"""Where records live: Table storage, and an in-memory twin with the same promises."""
