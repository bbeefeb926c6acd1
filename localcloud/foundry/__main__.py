"""python -m localcloud.foundry: serve the stand-in on loopback; the ready line tells its address."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import threading
from pathlib import Path

from localcloud.foundry.app import create_app
from localcloud.foundry.service import Service, model_from_environment
from localcloud.foundry.settings import Settings
from localcloud.foundry.tools import mcp
from localcloud.serve import serve


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python -m localcloud.foundry", description=__doc__)
    p.add_argument("--port", type=int, default=0, help="0 is a free port")
    p.add_argument("--exit-with-stdin", action="store_true", help="end when standard input closes")
    p.add_argument("--queues", action="append", default=[], metavar="CONNECTION", help="storage account of tool queues")
    p.add_argument("--output-poll-ms", type=float, default=Settings.output_poll_ms)
    p.add_argument("--idle-poll-ms", type=float, default=Settings.idle_poll_ms)
    p.add_argument("--requires-action-ms", type=float, default=Settings.requires_action_ms)
    p.add_argument("--turn-ms", type=float, default=Settings.turn_ms, help="how long each turn of thinking takes")
    p.add_argument("--planner", choices=["deterministic", "gullible"], default=Settings.planner)
    p.add_argument("--message-shape", choices=["flat", "wrapped"], default=Settings.message_shape)
    p.add_argument("--early-child-ids", action="store_true", help="show a child's ids while it still works")
    p.add_argument("--strict-replies", action="store_true", help="an unreadable reply fails the run")
    p.add_argument("--expires-seconds", type=float, default=Settings.expires_seconds)
    p.add_argument("--action-expires-seconds", type=float, default=Settings.action_expires_seconds)
    p.add_argument("--storage-log", type=Path, help="the emulator's access log: replies are told, not asked for")
    p.add_argument("--log", type=Path, help="JSON lines of every queue message")
    p.add_argument("--seed", type=int, default=Settings.seed)
    faults = os.environ.get("LOCAL_FOUNDRY_FAULTS", "{}")
    p.add_argument("--faults", type=json.loads, default=faults, help="as for POST /_faults")
    return p


def settings_from(args: argparse.Namespace) -> Settings:
    names = {name: getattr(args, name) for name in Settings.__dataclass_fields__ if name in args}
    return Settings(**{**names, "queues": tuple(args.queues), "model": model_from_environment()})


def main() -> None:
    args = parser().parse_args()
    app = create_app(Service.build(settings_from(args)))
    threading.Thread(target=mcp.preload, name="preload", daemon=True).start()
    asyncio.run(serve(app, port=args.port, exit_with_stdin=args.exit_with_stdin))


if __name__ == "__main__":
    main()
