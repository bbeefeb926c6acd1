"""Plays any of the local cloud's servers for the launcher's tests; copied into a throw-away checkout as `__main__.py`.

It prints the ready line and ends when stdin closes. As the app it answers every question by repeating it. What it
should do instead is told by environment: PLAY_<NAME>=dies, PLAY_RUN=failed.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAME = Path(__file__).parent.name
EVENTS = [
    {"seq": 1, "at": "", "state": "working", "agent": "supervisor", "tool": None, "text": "asks the investigator"},
    {
        "seq": 2,
        "at": "",
        "state": "waiting_tool",
        "agent": "investigator",
        "tool": "adf_failures",
        "text": "2 failed",
        "seconds": 0.1,
    },
]
RUN = {
    "run_id": "run-1",
    "status": "done",
    "error": None,
    "evidence": [{"kind": "pipeline_run", "id": "p-77", "factory": "adf-prod"}],
    "usage": {"input_tokens": 1200, "output_tokens": 34},
    "seconds": 0.5,
    "session_id": "s-1",
    "answered_by": "planner",
}
FAILED = {"status": "failed", "error": {"code": "upstream_unavailable", "message": "The agent service is down."}}


class Handler(BaseHTTPRequestHandler):
    asked = ""

    def do_POST(self) -> None:
        Handler.asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["question"]
        self.answer(202, {"run_id": "run-1", "status": "queued"})

    def do_GET(self) -> None:
        if "/events" in self.path:
            after = int(self.path.rpartition("=")[2])
            self.answer(200, {"events": EVENTS[after : after + 1], "last": after + 1, "ended": after == 1})
        elif os.environ.get("PLAY_RUN") == "failed":
            self.answer(200, {**RUN, "answer": None, **FAILED})
        else:
            self.answer(200, {**RUN, "answer": f"You asked: {Handler.asked}"})

    def answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        print(format % args, file=sys.stderr)


def main() -> None:
    print(f"{NAME} was told {sys.argv[1:]}", file=sys.stderr, flush=True)
    if os.environ.get(f"PLAY_{NAME.upper()}") == "dies":
        sys.exit("the disk is on fire")
    port = int(sys.argv[sys.argv.index("--port") + 1])
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"ready": True, "url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    sys.stdin.buffer.read()
    print("stdin closed, ending", file=sys.stderr)


main()
