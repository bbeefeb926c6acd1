"""A local stand-in of Azure Data Factory: its management REST API over worlds of simulated, living runs."""
