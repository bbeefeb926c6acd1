"""One function for each thing that is looked at. None changes anything."""
