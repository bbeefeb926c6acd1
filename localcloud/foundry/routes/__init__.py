"""The endpoints of the service, one module per kind of object, and the stand-in's own switches."""
