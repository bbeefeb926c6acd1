"""Serve the channel: `python -m localcloud.teams --port 0`. Cards go to <url>/workflows/local/run?sig=local."""

from __future__ import annotations

import argparse
import asyncio

from localcloud.serve import serve
from localcloud.teams.flow import create_app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m localcloud.teams", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 is a free port")
    parser.add_argument("--exit-with-stdin", action="store_true", help="end when standard input closes")
    args = parser.parse_args()
    asyncio.run(serve(create_app(), port=args.port, exit_with_stdin=args.exit_with_stdin))


if __name__ == "__main__":
    main()
