"""Alerts from outside: read into one shape, kept once each, handed to whoever investigates."""
