"""What ends a release: one sentence for people, on which a pipeline stops."""

from __future__ import annotations


class Failed(Exception):
    """Says what is wrong, and what to do about it where that is known."""
