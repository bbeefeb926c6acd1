"""One key for everything: function key, master key and the system key of webhooks."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from starlette.requests import Request


@dataclass(frozen=True)
class Keys:
    key: str

    def allow(self, request: Request) -> bool:
        given = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
        return hmac.compare_digest(given.encode(), self.key.encode())
