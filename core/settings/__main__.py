"""python -m core.settings: the page about settings, as it should be.

python -m core.settings            # prints it
python -m core.settings --write    # writes docs/configuration.md
python -m core.settings --check    # says whether that is what it would be, and changes nothing
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.settings.page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m core.settings", description=(__doc__ or "").split("\n")[0])
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true", help="write docs/configuration.md")
    how.add_argument("--check", action="store_true", help="only say whether it is right")
    given = parser.parse_args()
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if given.check:
        if old != new:
            sys.stderr.write(
                "docs/configuration.md is not what core/settings says: run python -m core.settings --write\n"
            )
        return int(old != new)
    if given.write:
        PAGE.write_text(new, encoding="utf-8")
    else:
        sys.stdout.write(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
