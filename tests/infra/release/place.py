"""A place to release to: an az of the test, and an app that answers as the version says that was deployed last."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

FAKE = Path(__file__).with_name("fake_az.py")
PYTHON = "3.12"
KEY = "a-function-key"
SOUND = {"check": "queues", "result": "ok", "found": "All there.", "why": "", "mend": ""}
SICK = {"check": "queues", "result": "failed", "found": "'runs' is missing.", "why": "", "mend": "Run azd provision."}

Answer = tuple[int, Any]


class AnsweringApp(ThreadingHTTPServer):
    """What it does is in the version's name: `ill` fails a check, `mute` ends no question, `hung` never says a word."""

    daemon_threads = True

    def __init__(self, version: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.version_file = version
        self.asked: list[str] = []  # Idempotency-Key of each question
        self.keys: set[str] = set()
        self.looks = 0
        self.troubled = False  # whatever the version is, something around the app is amiss
        self.says: dict[str, list[Answer]] = {}  # path: what it answers next, instead
        self.silent = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def version(self) -> str:
        return self.version_file.read_text() if self.version_file.exists() else ""


class Handler(BaseHTTPRequestHandler):
    server: AnsweringApp

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.headers["Idempotency-Key"])
        self._answer()

    def _answer(self) -> None:
        app = self.server
        app.keys.add(self.headers["x-functions-key"])
        if "hung" in app.version:
            app.silent.wait(20)
            return
        prepared = app.says.get(self.path)
        status, body = prepared.pop(0) if prepared else usual(app, self.path)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


def usual(app: AnsweringApp, path: str) -> Answer:
    version = app.version
    if path == "/api/health":
        return 200, {"status": "ok", "version": version, "problems": [], "findings": []}
    if path == "/api/health?deep=true":
        app.looks += 1
        ill = "ill" in version or app.troubled
        body = {"status": "failing" if ill else "ok", "version": version, "findings": [SOUND, SICK] if ill else [SOUND]}
        return (503 if ill else 200), body
    if path == "/api/ask" and "mute" not in version:
        return 200, {"run_id": "run-1", "status": "done", "answer": "Nothing failed.", "tool_calls": 2}
    if path == "/api/ask":
        return 202, {"run_id": "run-1", "status": "queued"}
    if path == "/api/runs/run-1":
        error = {"code": "expired", "message": "The model did not answer."}
        return 200, {"run_id": "run-1", "status": "expired", "error": error}
    return 404, {"title": "not found"}


class Place:
    """`bin` goes before the PATH; `state` is what az knows."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state, self.bin = folder, folder / "state", folder / "bin"
        (self.state / "blobs").mkdir(parents=True)
        self.bin.mkdir()
        tool(self.bin / "az", FAKE)
        self.write("calls", "")
        self.write("refuses", "")
        self.write("python", PYTHON)
        self.write("key", f"{KEY}\n")
        services = {"func-x": "app", "func-op-x": "operator"}
        listed = [{"name": name, "tags": {"azd-service-name": service}} for name, service in services.items()]
        self.write("apps.json", json.dumps([*listed, {"name": "somebody-elses", "tags": None}]))

    def write(self, name: str, text: str) -> None:
        (self.state / name).write_text(text)

    def running(self, app: str) -> str:
        path = self.state / f"{app}.version"
        return path.read_text() if path.exists() else ""

    @property
    def calls(self) -> list[str]:
        return (self.state / "calls").read_text().splitlines()

    @property
    def env(self) -> dict[str, str]:
        return {"PATH": f"{self.bin}:{os.environ['PATH']}", "FAKE_STATE": str(self.state)}

    def package(self, build: str, *, python: str = PYTHON) -> Path:
        return package(self.folder / f"{build}.zip", build, python=python)

    @contextmanager
    def app(self) -> Iterator[AnsweringApp]:
        server = AnsweringApp(self.state / "func-x.version")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.silent.set()
            server.shutdown()
            server.server_close()
            thread.join()


def tool(path: Path, script: Path) -> None:
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{script}" "$@"\n')
    path.chmod(0o755)


def package(file: Path, build: str, *, python: str = PYTHON, leave_out: str = "") -> Path:
    """As small as a package can be that is one."""
    contents = {
        "core/version.py": 'VERSION = "0.1.0"\n',
        "core/build.txt": f"{build}\n",
        f"core/__pycache__/version.cpython-{python.replace('.', '')}.pyc": "",
        ".python_packages/lib/site-packages/six.py": "",
    }
    with ZipFile(file, "w") as archive:
        for name, text in contents.items():
            if not (leave_out and name.startswith(leave_out)):
                archive.writestr(ZipInfo(name), text)  # the same bytes each time
    return file
