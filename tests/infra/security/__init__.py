"""The scans of pipelines."""
