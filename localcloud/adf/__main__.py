"""Serve the stand-in: `python -m localcloud.adf --port 0 [--scenario NAME | --factory PATH] [--seed 7] [--now ISO]`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from localcloud.adf.app import App
from localcloud.adf.clock import parse
from localcloud.adf.exported import load_exported
from localcloud.adf.scenario import BadScenario, Scenario, load_scenario, names
from localcloud.adf.world import World
from localcloud.serve import serve


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localcloud.adf", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--scenario", default="default", help=f"a name ({', '.join(names())}) or a YAML file")
    source.add_argument(
        "--factory", metavar="PATH", help="a factory exported by Git integration, or a folder of pipelines"
    )
    parser.add_argument("--seed", type=int, default=7, help="another seed gives other numbers in the same story")
    parser.add_argument("--now", type=parse, default=None, metavar="ISO", help="fix the clock at this moment")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster runs go that begin from now on")
    parser.add_argument("--latency-ms", type=float, default=0, help="wait this long before each answer")
    parser.add_argument("--exit-with-stdin", action="store_true", help="end when standard input closes")
    return parser.parse_args(argv)


def scenario_of(options: argparse.Namespace) -> Scenario:
    """Raises BadScenario."""
    if not options.factory:
        return load_scenario(options.scenario)
    scenario, notes = load_exported(options.factory, options.seed)
    for note in notes:
        print(f"localcloud.adf: {note}", file=sys.stderr)
    return scenario


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    try:
        world = World(scenario_of(options), options.seed, options.now, options.speed)
    except BadScenario as exc:
        print(f"localcloud.adf: {exc}", file=sys.stderr)
        return 2
    app = App(world, options.latency_ms)
    asyncio.run(serve(app, port=options.port, exit_with_stdin=options.exit_with_stdin, date_header=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
