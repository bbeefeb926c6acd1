"""Cards into a Teams channel, through the webhook of a Workflows flow.

The flow answers 202 before it posts, so a card that the channel refuses is not seen here. The address is a secret: it
holds the flow's signature, so neither a log line nor an error names more of it than its host.
"""

from __future__ import annotations

import json
from typing import Any

from core import clients
from core.errors import UpstreamError, UpstreamRefused, UpstreamThrottled, UpstreamUnavailable
from core.pace import Pace
from orchestrator.notify.port import Message

CALLS, SECONDS = 4, 1.0  # Teams refuses a webhook that is called more often
LONGEST_WAIT_SECONDS = 30.0
CARD_TYPE = "application/vnd.microsoft.card.adaptive"


class TeamsNotifier:
    """One per event loop. See port.Notifier; nothing is tried twice here, for the flow may have taken it: who sends
    decides."""

    def __init__(self, url: str, pace: Pace | None = None) -> None:
        from azure.core.pipeline import AsyncPipeline

        self._url = url
        self._pace = pace or Pace("Teams", CALLS, SECONDS, longest_wait=LONGEST_WAIT_SECONDS)
        self._transport = clients.transport()
        self._pipeline: Any = AsyncPipeline(self._transport, [])  # no policy: none logs, follows or repeats

    async def send(self, message: Message) -> None:
        from azure.core.exceptions import AzureError
        from azure.core.rest import HttpRequest

        await self._pace.turn()
        request = HttpRequest(
            "POST", self._url, content=envelope(message), headers={"Content-Type": "application/json"}
        )
        try:
            response = (await self._pipeline.run(request, **clients.TIMEOUTS)).http_response
        except AzureError:  # its text may name the address
            raise UpstreamUnavailable("Teams does not answer.", hint="Try again in a minute.") from None
        if not 200 <= response.status_code < 300:
            raise refusal(response.status_code, str(response.headers.get("Retry-After", "")))

    async def close(self) -> None:
        await self._transport.close()


def envelope(message: Message) -> bytes:
    """The body that the flow's template for cards reads; without a card one is made of the text."""
    card = message.card or _plain(message.text)
    attachment = {"contentType": CARD_TYPE, "contentUrl": None, "content": card}
    return json.dumps({"type": "message", "attachments": [attachment]}, ensure_ascii=False).encode()


def _plain(text: str) -> dict[str, Any]:
    body = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text}]}]
    return {"type": "AdaptiveCard", "version": "1.5", "body": body}


def refusal(status: int, retry_after: str = "") -> UpstreamError:
    if status == 429:
        seconds = float(retry_after) if retry_after.isdigit() else None
        return UpstreamThrottled("Teams takes no more messages for now.", retry_after_seconds=seconds)
    if status >= 500 or status == 408:
        return UpstreamUnavailable(f"Teams answered {status}.", hint="Try again in a minute.")
    hints = {
        401: "The signature in TEAMS_WEBHOOK_URL is wrong or was renewed: copy the address from the flow again.",
        403: "The signature in TEAMS_WEBHOOK_URL is wrong or was renewed: copy the address from the flow again.",
        404: "The flow was deleted or switched off, or its owner has left: see that it is on, and who owns it.",
        413: "The message is too large for the flow.",
    }
    otherwise = "See that TEAMS_WEBHOOK_URL is the address of a flow that posts cards to a channel when it is called."
    return UpstreamRefused(f"Teams refused the message ({status}).", hint=hints.get(status, otherwise))
