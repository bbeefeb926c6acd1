"""The app as it is deployed: its files without what .funcignore names, byte code beside them, in one zip.

    python -m infra.package [--to .localcloud/package] [--with-dependencies | --for-azure]

`core/build.txt` in it names the build: the commit, or where files differ from it (or there is none) what they hold.
A deployed app lies on a read-only disk, so byte code that is not in the package is made anew at every cold start. It is
compiled to be believed unchecked: a zip keeps times to two seconds and without a zone, and byte code that does not
carry its source's exact time would be thrown away. It serves the Python version that made it; another one ignores it.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from py_compile import PycInvalidationMode
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT = Path(__file__).resolve().parents[1]
TARGET = Path(".localcloud/package")
DEPENDENCIES = Path(".python_packages/lib/site-packages")  # where the Functions worker looks for them
MADE_HERE = "__pycache__"
BUILD = Path("core/build.txt")  # core.version reads it
# Flex Consumption runs Linux on x64. pip takes the newest wheels that the machine it runs on can load, and that machine
# may be newer than Azure's: nothing is taken that needs a newer glibc than 2.28.
AZURE = [f"--platform=manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)] + ["--platform=manylinux2014_x86_64"]


def app_files(root: Path = ROOT) -> Iterator[Path]:
    """The files of the app, relative to `root`, in order."""
    patterns = read_patterns(root / ".funcignore")
    for path in sorted(root.iterdir()):
        inside = sorted(path.rglob("*")) if path.is_dir() and not ignored(Path(path.name), patterns) else [path]
        for file in inside:
            relative = file.relative_to(root)
            if file.is_file() and MADE_HERE not in relative.parts and not ignored(relative, patterns):
                yield relative


def read_patterns(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in (*lines, path.name) if line and not line.startswith("#")]


def ignored(path: Path, patterns: Sequence[str]) -> bool:
    """As .funcignore is read: a name at any depth, a path where it holds a slash; `!` takes back; the last one wins."""
    verdict = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!").rstrip("/")
        names = [path.as_posix()] if "/" in wanted else path.parts
        if any(fnmatch(name, wanted) for name in names):
            verdict = not pattern.startswith("!")
    return verdict


def stage(
    target: Path, *, compiled: bool = True, with_dependencies: bool = False, for_azure: bool = False, root: Path = ROOT
) -> Path:
    """A fresh folder with the app's files, ready to be served."""
    shutil.rmtree(target, ignore_errors=True)
    for relative in app_files(root):
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / relative, target / relative)
    (target / BUILD).write_text(f"{build_of(root)}\n", encoding="utf-8")
    if with_dependencies or for_azure:
        install(target / DEPENDENCIES, ["--only-binary=:all:", *AZURE] if for_azure else [])
    if compiled:
        compile_all(target)
    return target


def build_of(root: Path = ROOT) -> str:
    """Twelve characters that tell one build from another: of the commit, or after `files-` of what the files hold."""
    files = list(app_files(root))
    changed = _git(root, "status", "--porcelain", "--ignored", "--", *map(str, files))
    commit = _git(root, "rev-parse", "HEAD")
    if commit and changed == "":
        return commit[:12]
    content = hashlib.sha256()
    for file in files:
        content.update(f"{file.as_posix()}\0".encode() + hashlib.sha256((root / file).read_bytes()).digest())
    return f"files-{content.hexdigest()[:12]}"


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; None where it cannot: no git, no repository."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def install(target: Path, options: Sequence[str] = ()) -> None:
    requirements = ROOT / "requirements.txt"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", *options, "--target", str(target)]
    subprocess.run([*pip, "--requirement", str(requirements)], check=True)  # noqa: S603 - nothing here comes from outside


def compile_all(target: Path) -> None:
    """Paths in tracebacks begin at the app's own folder, not at the builder's."""
    unchecked = PycInvalidationMode.UNCHECKED_HASH
    done = compileall.compile_dir(target, quiet=1, invalidation_mode=unchecked, stripdir=target, workers=0)
    if not done:
        raise SystemExit(f"Some files under {target} do not compile; they are named above.")


def zipped(folder: Path) -> Path:
    """The folder as a zip beside it; the same files make the same bytes."""
    archive = folder.with_suffix(".zip")
    with ZipFile(archive, "w", ZIP_DEFLATED) as package:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            package.writestr(entry(path.relative_to(folder)), path.read_bytes())
    return archive


def entry(path: Path) -> ZipInfo:
    info = ZipInfo(path.as_posix())
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / TARGET, help="the folder; the zip lies beside it")
    libraries = parser.add_mutually_exclusive_group()
    libraries.add_argument(
        "--with-dependencies", action="store_true", help="with the libraries, as this machine needs them"
    )
    libraries.add_argument(
        "--for-azure", action="store_true", help="with the libraries, as Flex Consumption needs them"
    )
    arguments = parser.parse_args()
    with_dependencies, for_azure = arguments.with_dependencies, arguments.for_azure
    archive = zipped(stage(arguments.to, with_dependencies=with_dependencies, for_azure=for_azure))
    version = ".".join(map(str, sys.version_info[:2]))
    sys.stdout.write(f"{archive} ({archive.stat().st_size / 1024:.0f} KiB, byte code for Python {version})\n")


if __name__ == "__main__":
    main()
