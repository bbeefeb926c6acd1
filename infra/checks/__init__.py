"""What can be known of the templates without Azure: read by a real parser, checked against each other and the code."""
