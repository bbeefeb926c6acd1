"""Messages as lines in the log: where no channel is configured, and for tests a list in memory."""

from __future__ import annotations

import logging

from orchestrator.notify.port import Message

log = logging.getLogger("notify")


class ConsoleNotifier:
    async def send(self, message: Message) -> None:
        log.warning("message=%s about=%s text=%s", message.key, message.about, " | ".join(message.text.splitlines()))


class MemoryNotifier:
    """Keeps what was sent. `refuses` is raised instead, once for each."""

    def __init__(self, *refuses: Exception) -> None:
        self.sent: list[Message] = []
        self.refuses = list(refuses)

    async def send(self, message: Message) -> None:
        if self.refuses:
            raise self.refuses.pop(0)
        self.sent.append(message)
