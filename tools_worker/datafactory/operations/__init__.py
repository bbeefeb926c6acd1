"""What changes a factory: planned on live state, sent once, and followed until its effect is seen."""
