"""HOST=func: the real Functions host of Azure Functions Core Tools, where a developer has it, instead of this one.

python -m localcloud.host.func_tools --port 7071 [--root .]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

MISSING = (
    "HOST=func needs Azure Functions Core Tools 4, but there is no `func` on PATH.\n"
    "Install them (https://aka.ms/azure-functions-core-tools) or leave HOST unset to use the local host."
)


class FuncMissing(Exception):
    """There is no `func` here."""


def find_func(environment: Mapping[str, str]) -> str:
    found = shutil.which("func", path=environment.get("PATH"))
    if found is None:
        raise FuncMissing(MISSING)
    return found


def command(func: str, port: int) -> list[str]:
    return [func, "start", "--port", str(port)]


def main() -> NoReturn:
    parser = argparse.ArgumentParser(prog="python -m localcloud.host.func_tools")
    parser.add_argument("--port", type=int, default=7071)
    parser.add_argument("--root", type=Path, default=Path())
    arguments = parser.parse_args()
    try:
        func = find_func(os.environ)
    except FuncMissing as exc:
        print(exc, file=sys.stderr)
        sys.exit(1)
    os.chdir(arguments.root)
    # Replaces this process, so that whoever started it stops the real host by the id it knows.
    os.execv(func, command(func, arguments.port))


if __name__ == "__main__":
    main()
