"""Keys, tokens and passwords in any version of any file that git keeps: what was deleted later was published too.

    python -m infra.security.leaks             # what is found and not allowed; exit code 1 where there is something
    python -m infra.security.leaks --reason TEXT    # writes all that is found now into allowed.json, with that reason

Found by detect-secrets. `allowed.json` names what is no secret, by its kind and a hash of the text: another one in the
same file is found.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = Path(__file__).with_name("allowed.json")
LARGEST = 1_000_000  # bytes: pictures, which hold none
KEY = "Private Key"
# To its end where it has one, else to the end of the line.
KEYS = re.compile(r"BEGIN [A-Z0-9 ]*PRIVATE KEY(?:.{0,8000}?-----END|[^\n]*)|PuTTY-User-Key-File-2.{0,8000}", re.DOTALL)
AT_ONCE = 100  # files that one process looks through before it tells
# Files of checksums look like secrets in every line, and are written by tools.
CHECKSUMS = ("package-lock.json", "infra/security/requirements.txt", "infra/security/allowed.json")


@dataclass(frozen=True, order=True)
class Leak:
    path: str
    kind: str
    hash: str  # of the text: the text itself is printed nowhere


@dataclass(frozen=True)
class Blob:
    id: str
    path: str


def history(root: Path = ROOT, of: str = "--all") -> list[Blob]:
    """Every content that a file ever had on any branch, once, under one of the names that it had."""
    listed = _git(root, "rev-list", "--objects", of).decode()
    names = dict(line.split(" ", 1) for line in listed.splitlines() if " " in line)
    shape = "--batch-check=%(objecttype) %(objectname) %(objectsize)"
    kinds = _git(root, "cat-file", shape, given="\n".join(names).encode()).decode()
    blobs = (line.split() for line in kinds.splitlines())
    small = (name for kind, name, size in blobs if kind == "blob" and int(size) <= LARGEST)
    return [Blob(name, names[name]) for name in small if not names[name].endswith(CHECKSUMS)]


def _git(root: Path, *arguments: str, given: bytes | None = None) -> bytes:
    done = subprocess.run(["git", "-C", str(root), *arguments], input=given, capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise SystemExit(f"git {arguments[0]}: {done.stderr.decode().strip()}")
    return done.stdout


def leaks(root: Path = ROOT, of: str = "--all") -> set[Leak]:
    if of == "--all" and _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise SystemExit("Only a part of the history is here: git fetch --unshallow (fetch-depth: 0 in a pipeline).")
    blobs = history(root, of)
    parts = [blobs[start : start + AT_ONCE] for start in range(0, len(blobs), AT_ONCE)]
    with ProcessPoolExecutor() as pool:
        return {leak for found in pool.map(_look, [root] * len(parts), parts) for leak in found}


def _look(root: Path, blobs: Sequence[Blob]) -> set[Leak]:
    with tempfile.TemporaryDirectory() as folder:
        return {leak for blob in blobs for leak in _in(root, blob, Path(folder))}


def _in(root: Path, blob: Blob, folder: Path) -> Iterator[Leak]:
    content = _git(root, "cat-file", "blob", blob.id)
    if b"\0" in content:
        return
    file = folder / blob.id / os.path.basename(blob.path)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    collection = SecretsCollection()
    with default_settings():
        collection.scan_file(str(file))
    for _, secret in collection:
        for told in (_keys(content) if secret.type == KEY else ()) or (secret.secret_hash,):
            yield Leak(blob.path, secret.type, told[:16])


def _keys(content: bytes) -> list[str]:
    """One hash for each: for detect-secrets a private key is the words it begins with, alike for all of them."""
    found = KEYS.findall(content.decode(errors="replace"))
    return [hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest() for key in found]


def allowed(file: Path = ALLOWED) -> dict[Leak, str]:
    """What is none, and why."""
    entries = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return {Leak(one["path"], one["kind"], one["hash"]): one["reason"] for one in entries}


def unknown(found: set[Leak], file: Path = ALLOWED) -> list[Leak]:
    """A text that is no secret is none anywhere: files are moved."""
    none = {(leak.kind, leak.hash) for leak in allowed(file)}
    return sorted(leak for leak in found if (leak.kind, leak.hash) not in none)


def allow(found: set[Leak], reason: str, file: Path = ALLOWED) -> None:
    """Adds to the file; what it says already stays."""
    known = dict.fromkeys(unknown(found, file), reason) | allowed(file)
    entries = [{**asdict(leak), "reason": known[leak]} for leak in sorted(known)]
    lines = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
    file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reason", help="why what is found now is no secret")
    parser.add_argument("--root", type=Path, default=ROOT, help="another repository")
    arguments = parser.parse_args()
    found = leaks(arguments.root)
    new = unknown(found)
    if arguments.reason:
        allow(found, arguments.reason)
        return 0
    for leak in new:
        sys.stderr.write(f"{leak.path}: {leak.kind} ({leak.hash})\n")
    sys.stdout.write(f"{len(found)} places look like secrets, {len(found) - len(new)} of them are known to be none.\n")
    if new:
        sys.stderr.write(
            "Whoever can read the repository can read these. Make a real one anew where it belongs, at once; "
            f"what is none goes into {ALLOWED.relative_to(ROOT)} with its reason.\n"
        )
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
