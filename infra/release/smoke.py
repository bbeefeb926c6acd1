"""Is the version that was deployed the one that answers, is nothing missing, and does it answer a question?"""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.release.failure import Failed

QUESTION = "What failed in the last 24 hours, and why?"
RUN = re.compile(r"[A-Za-z0-9-]{1,64}")
LONGEST_ANSWER = 1_000_000  # bytes


@dataclass(frozen=True)
class Patience:
    """How long each step is waited for. Roles and secrets that were just made take minutes to be known everywhere."""

    seconds: float = 900
    pause: float = 5
    request: float = 150  # a question is waited for 110 seconds, a deep look takes half a minute


@dataclass(frozen=True)
class Reply:
    """`status` is 0 and `trouble` says why where no answer came that could be read."""

    status: int
    body: dict[str, Any]
    trouble: str = ""


@dataclass(frozen=True)
class App:
    """`key` is asked for each time until there is one: a new app has none before its host has started."""

    url: str
    key: Callable[[], str]
    patience: Patience = Patience()

    def get(self, path: str) -> Reply:
        return self._send(urllib.request.Request(f"{self.url}{path}"))  # noqa: S310 - of https or a test's server

    def post(self, path: str, body: dict[str, Any], name: str) -> Reply:
        headers = {"Content-Type": "application/json", "Idempotency-Key": name}
        content = json.dumps(body).encode()
        return self._send(urllib.request.Request(f"{self.url}{path}", content, headers))  # noqa: S310

    def _send(self, request: urllib.request.Request) -> Reply:
        try:
            request.add_unredirected_header("x-functions-key", self.key())
            with urllib.request.urlopen(request, timeout=self.patience.request) as answer:  # noqa: S310
                return _read(answer.status, answer.read(LONGEST_ANSWER))
        except urllib.error.HTTPError as exc:
            with exc:
                return _read(exc.code, exc.read(LONGEST_ANSWER))
        except (OSError, ValueError, http.client.HTTPException) as exc:
            return Reply(0, {}, f"no answer ({getattr(exc, 'reason', None) or exc or type(exc).__name__})")
        except Failed as exc:
            return Reply(0, {}, str(exc))


def _read(status: int, content: bytes) -> Reply:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return Reply(status, {}, f"{status} with something that is no JSON: {content[:100]!r}")
    return Reply(status, body) if isinstance(body, dict) else Reply(status, {}, f"{status} with no object")


def smoke(app: App, version: str, say: Callable[[str], None], question: str = QUESTION) -> None:
    """Raises Failed with the first thing that is not as it should be."""
    say(f"{wait_for(app, version)} answers.")
    say(f"{look_deep(app, version)} checks, none failed.")
    say(f"A question was answered: run {ask(app, question)}.")


def wait_for(app: App, version: str) -> str:
    """The version that answers; it is waited for until it is `version`, unless that is empty."""
    reply = _last(app.patience, lambda: app.get("/api/health"), lambda reply: _tells(reply, version))
    if _tells(reply, version):
        return str(reply.body["version"])
    told = reply.body.get("version")
    seen = f"version {told}" if told else reply.trouble or f"{reply.status} without a version"
    waited = f"after {app.patience.seconds:.0f} seconds"
    raise Failed(f"{version or 'The app'} does not answer {waited}: the last was {seen}.")


def _tells(reply: Reply, version: str) -> bool:
    told = reply.body.get("version")
    return bool(told) and version in ("", told)


def look_deep(app: App, version: str) -> int:
    """How many checks the doctor made. What fails is looked at again, for as long as there is patience: also where an
    instance answers that still runs another version."""
    reply = _last(
        app.patience, lambda: app.get("/api/health?deep=true"), lambda seen: _well(seen) and _tells(seen, version)
    )
    if not _well(reply):
        raise Failed(f"The app is not well: {_ailments(reply)}")
    if not _tells(reply, version):
        raise Failed(f"The app is well, but not all of it is {version}: {reply.body.get('version')} still answers.")
    return len(_objects(reply.body["findings"]))


def _well(reply: Reply) -> bool:
    findings = _objects(reply.body.get("findings"))
    sound = bool(findings) and not [each for each in findings if each.get("result") == "failed"]
    return sound and reply.status == 200 and reply.body.get("status") == "ok"


def _ailments(reply: Reply) -> str:
    problems = [f"{each.get('setting')}: {each.get('text')}" for each in _objects(reply.body.get("problems"))]
    failed = [each for each in _objects(reply.body.get("findings")) if each.get("result") == "failed"]
    told = problems + [f"{each.get('check')}: {each.get('found')} {each.get('mend') or ''}".strip() for each in failed]
    return " ".join(told) or reply.trouble or f"it answered {reply.status} and tells of no check."


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def ask(app: App, question: str) -> str:
    """The run that answered, by a look into Data Factory: the model's word alone would say nothing of the tools.

    The question is sent under one name, so a lost answer does not make two of it."""
    body, name = {"question": question, "wait_seconds": 110}, str(uuid.uuid4())
    reply = _last(app.patience, lambda: app.post("/api/ask", body, name), _decided)
    run = str(reply.body.get("run_id") or "")
    if reply.status == 202 and RUN.fullmatch(run):
        reply = _last(app.patience, lambda: app.get(f"/api/runs/{run}"), lambda looked: looked.status == 200)
    if reply.status == 200 and reply.body.get("status") == "done" and reply.body.get("answer"):
        if reply.body.get("tool_calls"):
            return run
        raise Failed(f"The question {question!r} was answered without a look into Data Factory: run {run}.")
    raise Failed(f"The question {question!r} was not answered: {_why(reply, run)}")


def _decided(reply: Reply) -> bool:
    return 200 <= reply.status < 500 and reply.status != 429


def _why(reply: Reply, run: str) -> str:
    error = reply.body.get("error")
    told = error if isinstance(error, dict) else reply.body
    words = str(told.get("message") or told.get("detail") or told.get("title") or reply.trouble).rstrip(".")
    if run and reply.body.get("status"):
        return f"run {run} is {reply.body['status']}{f': {words}' if words else ''}."
    return f"{words or f'the app answered {reply.status}'}."


def _last(patience: Patience, look: Callable[[], Reply], enough: Callable[[Reply], bool]) -> Reply:
    """Looks at least once, until it is enough or patience ends; what was seen last."""
    end = time.monotonic() + patience.seconds
    while not enough(reply := look()) and time.monotonic() < end:
        time.sleep(patience.pause)
    return reply
