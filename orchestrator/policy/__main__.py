"""python -m orchestrator.policy [FILE]: is this policy sound?

A line for each mistake, or else for each part that can never take effect: exit code 1. Warnings are told beside these.
"""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.policy.reading import USUAL, problems, warnings


def main() -> int:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else USUAL
    found = problems(path)
    told = [*(found or [f"{path.name} is sound."]), *(f"Warning: {each}" for each in warnings(path))]
    sys.stdout.write("\n".join(told) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
