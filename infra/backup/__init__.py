"""The app's own records as files, and back: storage has no such command for tables."""
