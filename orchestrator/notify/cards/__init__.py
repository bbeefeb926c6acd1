"""Messages to people as Adaptive Cards 1.5, and the same as plain text. One module for each kind of message."""
