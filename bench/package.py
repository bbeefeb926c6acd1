"""What is deployed: how large it is, and whether it starts by itself on each Python that the platform offers.

    python -m bench.package [--short] [--json]

The package is built as a release is: the app, the libraries of requirements.txt as Azure needs them, byte code. On a
machine that could not load those (no Linux on x64) the libraries are its own.
Then Microsoft's own worker library loads it in a process that sees nothing but the package, the library and Python: no
virtual environment, no checkout. It is done with this Python and each of PYTHONS (`--short`: where they are here). What
the checks of the templates find is counted too, and what the doctor's tests break and miss. The exit code is 1 where a
bound is missed. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.checks.all import findings
from infra.checks.tree import Templates
from infra.package import DEPENDENCIES
from localcloud.host.worker_library import ensure

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.13")
LARGEST_MB = 180
CHECKER = ("__init__.py", "host/__init__.py", "host/worker_library.py", "host/worker_protos.py")
HERE = ".".join(map(str, sys.version_info[:2]))
LIKE_AZURE = (sys.platform, platform.machine()) == ("linux", "x86_64")
LIBRARIES = "--for-azure" if LIKE_AZURE else "--with-dependencies"

START = """
import runpy, sys
package, libraries, library, checker = sys.argv[1:5]
sys.path[:0] = [libraries, checker]
sys.argv[1:] = ["--check", "--target", library, "--root", package]
runpy.run_module("localcloud.host.worker_library", run_name="__main__")
"""


@dataclass(frozen=True)
class Started:
    """A package made for one Python, and what came of starting it. `error` is empty where it started."""

    python: str
    package_mb: float
    files: int
    functions: int
    error: str


@dataclass(frozen=True)
class Doctor:
    doctor_checks: int
    doctor_broken_tried: int
    doctor_broken_missed: int


def interpreter(version: str) -> str | None:
    """A Python of that version that runs: this one, one on the PATH, or one that pyenv keeps."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    usual = shutil.which(f"python{version}")
    for path in (sys.executable, usual, *map(str, sorted(kept.glob(f"{version}.*/bin/python")))):
        if path and _version(path) == version:
            return path
    return None


def _version(python: str) -> str:
    asked = [python, "-c", "import sys; print('.'.join(map(str, sys.version_info[:2])))"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def build(python: str, target: Path) -> Path:
    """The package, with the libraries that this Python needs and its byte code."""
    command = [python, "-m", "infra.package", "--to", str(target), LIBRARIES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"No package could be made with {python}: {done.stderr[-2000:]}")
    return target


def start(python: str, package: Path, scratch: Path) -> tuple[int, str]:
    """How many functions the worker library loads from the package alone, and what it says where it cannot."""
    checker = scratch / "checker"
    for name in CHECKER:
        (checker / "localcloud" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / "localcloud" / name, checker / "localcloud" / name)
    where = [str(package), str(package / DEPENDENCIES), str(ensure()), str(checker)]
    bare = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    # -S and -s: nothing of a virtual environment or of a user; -P: nothing of the folder it is started in
    command = [python, "-S", "-s", "-P", "-c", START, *where]
    done = subprocess.run(command, cwd=scratch, env=bare, capture_output=True, text=True, check=False, timeout=120)
    if not done.stdout.strip():
        return 0, done.stderr.strip()[-500:] or "no answer"
    report = json.loads(done.stdout.strip().splitlines()[-1])
    return len(report.get("functions", ())), str(report.get("error", ""))


def try_on(version: str) -> Started | None:
    """None where this machine has no such Python."""
    python = interpreter(version)
    if python is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        package = build(python, Path(scratch) / "app")
        files = [path for path in package.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 1e6
        functions, error = start(python, package, Path(scratch))
    return Started(version, round(size, 1), len(files), functions, error)


def doctor() -> Doctor:
    """What the doctor's own tests try: each thing broken in turn, in the local cloud."""
    from tests.orchestrator.doctor.tally import tally  # starts a storage emulator: only where it is asked for

    found = asyncio.run(tally())
    return Doctor(found.checks, found.tried, len(found.missed))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a Python that is not here is no miss")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    arguments = parser.parse_args()
    templates = Templates(ROOT / "infra")
    found = findings(templates)
    versions = sorted({HERE, *PYTHONS})
    tried = [one for version in versions if (one := try_on(version)) is not None]
    started = [one.python for one in tried if not one.error and one.functions]
    figures = {
        "package_mb": max((one.package_mb for one in tried), default=0.0),
        "files": max((one.files for one in tried), default=0),
        "starts_on": started,
        "starts_on_count": len(started),
        "bicep_files": len(templates.files),
        "bicep_findings": len(found),
        **asdict(doctor()),
    }
    if not arguments.json:
        for one in tried:
            said = one.error or f"starts, {one.functions} functions"
            print(f"Python {one.python}: {one.package_mb} MB in {one.files} files; {said}")
        for finding in found:
            print(finding)
    print(json.dumps(figures))
    return 0 if _holds(figures, len(tried) if arguments.short else len(versions)) else 1


def _holds(figures: dict[str, object], wanted: int) -> bool:
    size, missed = figures["package_mb"], figures["doctor_broken_missed"]
    fits = isinstance(size, float) and 0 < size <= LARGEST_MB
    return fits and figures["starts_on_count"] == wanted and not figures["bicep_findings"] and not missed


if __name__ == "__main__":
    sys.exit(main())
