"""Says what is wrong with the templates, one line each; the exit code is 1 where anything is.

python -m infra.checks [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

from infra.checks.all import findings
from infra.checks.tree import Templates

FOLDER = Path(__file__).resolve().parents[1]


def main() -> int:
    templates = Templates(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
    found = findings(templates)
    for finding in found:
        sys.stderr.write(f"{finding}\n")
    sys.stdout.write(f"{len(templates.files)} templates, {len(found)} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
