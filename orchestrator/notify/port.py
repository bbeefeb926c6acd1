"""Where messages to people go: a port, whatever the channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is complete by itself; `card` is the same as an Adaptive Card 1.5, for channels that show one.

    `key` is the same for the same message sent again; `about` the incident, run or approval.
    """

    key: str
    about: str
    title: str
    text: str
    card: Mapping[str, Any] = field(default_factory=dict)
    link: str = ""


class Notifier(Protocol):
    async def send(self, message: Message) -> None:
        """Raises UpstreamError where the channel did not take it, or cannot be reached."""
