"""Traces and metrics, in OpenTelemetry's terms. Off unless switched on (`setup`), and then nothing is imported."""
