"""python -m orchestrator.policy [FILE]: is this policy sound? One line for each mistake, and exit code 1."""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.policy.reading import USUAL, problems


def main() -> int:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else USUAL
    found = problems(path)
    sys.stdout.write("\n".join(found or [f"{path.name} is sound."]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
