"""Say something in the channel, as Teams passes it on to an outgoing webhook:

    python -m localcloud.teams.say "why did LoadSales fail?" --url http://127.0.0.1:7071/hooks/teams/messages

The request is signed with the token; the reply is printed with the time it took. Teams hangs up after five seconds.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from typing import Any

TOKEN = base64.b64encode(b"the local channel's security token").decode()  # of the local cloud: no secret
PATIENCE_SECONDS = 5.0


def activity(text: str, thread: str = "local", bot: str = "Ops") -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "type": "message",
        "id": str(uuid.uuid4().int % 10**13),
        "timestamp": now,
        "localTimestamp": now,
        "serviceUrl": "https://smba.trafficmanager.net/emea/",
        "channelId": "msteams",
        "from": {"id": "29:local", "name": "Local Person", "aadObjectId": str(uuid.UUID(int=1))},
        "conversation": {"isGroup": True, "id": f"19:{thread}@thread.tacv2;messageid=1"},
        "textFormat": "plain",
        "text": f"<at>{bot}</at> {text}\n",
        "entities": [{"type": "mention", "mentioned": {"id": "28:local", "name": bot}, "text": f"<at>{bot}</at>"}],
        "channelData": {"teamsChannelId": "19:local@thread.tacv2", "teamsTeamId": "19:local@thread.tacv2"},
    }


def signed(body: bytes, token: str) -> str:
    mac = hmac.new(base64.b64decode(token), body, hashlib.sha256)
    return f"HMAC {base64.b64encode(mac.digest()).decode()}"


def say(url: str, text: str, token: str = TOKEN, thread: str = "local") -> tuple[int, str]:
    """Status and body of the reply. Raises TimeoutError when Teams would have hung up."""
    body = json.dumps(activity(text, thread), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Authorization": signed(body, token)}
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m localcloud.teams.say", description="Say something in the channel.")
    parser.add_argument("text")
    parser.add_argument("--url", default="http://127.0.0.1:7071/hooks/teams/messages")
    parser.add_argument("--token", default=TOKEN, help="the security token of the outgoing webhook")
    parser.add_argument("--thread", default="local", help="another thread is another conversation")
    options = parser.parse_args(argv)
    began = time.monotonic()
    try:
        status, body = say(options.url, options.text, options.token, options.thread)
    except (TimeoutError, urllib.error.URLError) as exc:
        print(f"No reply: {exc}", file=sys.stderr)
        return 1
    print(json.loads(body)["text"] if status == 200 else f"{status} {body}")
    print(f"({time.monotonic() - began:.2f} s)", file=sys.stderr)
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
