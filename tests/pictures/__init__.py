"""Pictures of the cards for the documentation: `python -m tests.pictures`. Never part of a test run."""
