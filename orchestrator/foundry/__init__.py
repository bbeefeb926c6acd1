"""The agent service behind a port of our own: plain types here, a vendor's SDK in one adapter."""
