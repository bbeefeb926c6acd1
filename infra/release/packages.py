"""A package as `make release` wrote it: which version it is, for which Python, and its fingerprint."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from infra.release.failure import Failed

VERSION_FILE, BUILD_FILE = "core/version.py", "core/build.txt"
LIBRARIES = ".python_packages/lib/site-packages/"
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{2,63}")  # also a name in a path


@dataclass(frozen=True)
class Package:
    file: Path
    version: str  # as GET /api/health tells it once it runs
    python: str  # 3.12
    sha256: str


def read(file: Path) -> Package:
    try:
        with ZipFile(file) as archive:
            names = archive.namelist()
            number = re.search(r'^VERSION = "(.+)"$', archive.read(VERSION_FILE).decode(), re.MULTILINE)
            build = archive.read(BUILD_FILE).decode().strip()
    except (OSError, BadZipFile, KeyError) as exc:
        raise Failed(f"{file} is no package of this app ({exc}): make one with 'make release'.") from exc
    version = f"{number[1] if number else ''}-{build}"
    if not VERSION.fullmatch(version):
        raise Failed(f"{file} names its version {version!r}: make it anew with 'make release'.")
    if not any(name.startswith(LIBRARIES) for name in names):
        raise Failed(f"{file} has no libraries in it, and nothing installs them later: make it with 'make release'.")
    return Package(file, version, _python(file, names), fingerprint(file))


def _python(file: Path, names: list[str]) -> str:
    """Of the byte code, and so of the libraries."""
    found = next((match for name in names if (match := re.search(r"^core/.*\.cpython-3(\d+)\.pyc$", name))), None)
    if found is None:
        raise Failed(f"{file} has no byte code in it: make it with 'make release'.")
    return f"3.{found[1]}"


def fingerprint(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
