"""Incidents: one record for each cause, from the first sign to its end."""
