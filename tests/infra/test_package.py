"""What is shipped, and that its byte code is believed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.package import AZURE, BUILD, MADE_HERE, app_files, build_of, ignored, stage, zipped

BELIEVED_UNCHECKED = b"\x01\x00\x00\x00"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stage(tmp_path_factory.mktemp("staged") / "app")


def test_ships_the_app_and_nothing_of_its_development() -> None:
    shipped = {path.parts[0] for path in app_files()}
    assert {"function_app.py", "host.json", "requirements.txt", "core", "tools_worker", "orchestrator"} <= shipped
    assert not shipped & {
        "tests",
        "bench",
        "localcloud",
        "docs",
        "infra",
        ".venv",
        ".git",
        "local.settings.json",
        "azure.yaml",
    }


def test_ships_what_is_no_python() -> None:
    suffixes = {path.suffix for path in app_files()}
    assert {".md", ".yaml"} <= suffixes  # instructions of agents, knowledge of failures


def test_ships_the_policy_and_the_page() -> None:
    shipped = {path.as_posix() for path in app_files()}
    assert "policy.yaml" in shipped
    page = {path for path in shipped if path.startswith("orchestrator/web/")}
    assert {Path(path).suffix for path in page} >= {".html", ".js", ".css"}


def test_the_last_pattern_that_fits_decides() -> None:
    patterns = ["*.md", "!keep/*.md", "docs"]
    assert ignored(Path("a/b.md"), patterns)
    assert not ignored(Path("keep/b.md"), patterns)
    assert ignored(Path("docs/x.txt"), patterns)


def test_every_module_has_byte_code_that_is_believed_unchecked(package: Path) -> None:
    tag = sys.implementation.cache_tag
    for source in package.rglob("*.py"):
        compiled = source.parent / MADE_HERE / f"{source.stem}.{tag}.pyc"
        assert compiled.read_bytes()[4:8] == BELIEVED_UNCHECKED, source


def test_a_package_without_its_sources_times_still_uses_its_byte_code(package: Path) -> None:
    """As after a zip: the sources look newer than what was made from them."""
    for source in package.rglob("*.py"):
        os.utime(source, (2_000_000_000, 2_000_000_000))
    code = (
        "import sys, importlib._bootstrap_external as b, json; compiled = []; old = b.SourceLoader.source_to_code\n"
        "def note(self, data, path, **k): compiled.append(path); return old(self, data, path, **k)\n"
        "b.SourceLoader.source_to_code = note\n"
        "import function_app; print(json.dumps(compiled))"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=package, env=env, capture_output=True, text=True, check=True
    )
    assert not [path for path in json.loads(done.stdout) if Path(path).is_relative_to(package)]


def test_the_same_files_make_the_same_package(package: Path) -> None:
    first = zipped(package).read_bytes()
    os.utime(package / "host.json", (1, 1_000_000_000))
    assert zipped(package).read_bytes() == first
    with ZipFile(package.with_suffix(".zip")) as archive:
        assert "function_app.py" in archive.namelist()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of its own with one file of an app, committed."""
    (tmp_path / "function_app.py").write_text("app = None\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / ".funcignore").write_text("tests\n.git\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "core.hooksPath=/dev/null"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_build_is_named_by_its_commit(checkout: Path) -> None:
    assert build_of(checkout) == git(checkout, "rev-parse", "HEAD")[:12]


def test_what_is_not_shipped_does_not_change_the_build(checkout: Path) -> None:
    before = build_of(checkout)
    (checkout / "tests" / "test_more.py").write_text("")
    assert build_of(checkout) == before


@pytest.mark.parametrize("name", ["function_app.py", "more.py"])
def test_files_that_no_commit_holds_are_a_build_of_their_own(checkout: Path, name: str) -> None:
    (checkout / name).write_text("app = 1\n")
    first = build_of(checkout)
    (checkout / name).write_text("app = 2\n")
    assert first.startswith("files-")
    assert build_of(checkout) not in (first, git(checkout, "rev-parse", "HEAD")[:12])


def test_without_a_repository_the_files_name_the_build(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    exported = tmp_path_factory.mktemp("exported")
    for name in ("function_app.py", ".funcignore"):
        (exported / name).write_bytes((checkout / name).read_bytes())
    assert build_of(exported).startswith("files-")


def test_the_package_tells_its_build_as_its_version(package: Path) -> None:
    code = "from core.version import running; print(running())"
    done = subprocess.run([sys.executable, "-c", code], cwd=package, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(f"-{(package / BUILD).read_text().strip()}")


def test_for_azure_nothing_is_taken_that_needs_a_newer_glibc_than_azures() -> None:
    asked = [re.fullmatch(r"--platform=manylinux_2_(\d+)_x86_64", each) for each in AZURE]
    assert max(int(each[1]) for each in asked if each) == 28
