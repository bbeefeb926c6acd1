"""A secret that was ever committed is found; what is known to be none is not; nothing that was found is printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.security.leaks import ALLOWED, Leak, allow, allowed, leaks, unknown

ROOT = Path(__file__).resolve().parents[3]
# Put together here, so that this file holds none itself.
PASSWORD = "Sx7!" + "qLm2Vz9Rt4"
ACCESS_KEY = "AKIA" + "Q3EGRIZ5N7PLM2WX"


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *arguments: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "core.hooksPath=/dev/null"]
        subprocess.run(["git", "-C", str(self.folder), *who, *arguments], check=True, capture_output=True)

    def commit(self, name: str, text: str | bytes) -> None:
        content = text if isinstance(text, bytes) else text.encode()
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", name)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "repository").mkdir()
    made = Repository(tmp_path / "repository")
    made.commit("readme.md", "Nothing to see.\n")
    return made


def kinds(repository: Repository) -> set[tuple[str, str]]:
    return {(leak.path, leak.kind) for leak in leaks(repository.folder)}


def test_where_there_is_none_nothing_is_found(repository: Repository) -> None:
    assert leaks(repository.folder) == set()


def test_what_was_deleted_later_is_found(repository: Repository) -> None:
    repository.commit("settings.py", f'password = "{PASSWORD}"\n')
    repository.commit("settings.py", 'password = ""\n')
    assert kinds(repository) == {("settings.py", "Secret Keyword")}


def test_what_is_on_another_branch_is_found(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "elsewhere")
    repository.commit("notes/keys.txt", f"aws = {ACCESS_KEY}\n")
    repository.git("switch", "--quiet", "main")
    assert ("notes/keys.txt", "AWS Access Key") in kinds(repository)


def test_pictures_and_checksums_hold_none(repository: Repository) -> None:
    repository.commit("picture.png", b"\x89PNG\0" + f'password = "{PASSWORD}"'.encode())
    repository.commit("package-lock.json", f'{{"integrity": "sha512-{"Ab1+" * 20}", "password": "{PASSWORD}"}}')
    assert kinds(repository) == set()


def test_what_is_allowed_is_so_wherever_it_lies_and_nothing_else_is(repository: Repository, tmp_path: Path) -> None:
    file = tmp_path / "allowed.json"
    repository.commit("settings.py", f'password = "{PASSWORD}"\n')
    allow(leaks(repository.folder), "made up", file)
    repository.commit("moved.py", f'x = 1\npassword = "{PASSWORD}"\n')
    assert unknown(leaks(repository.folder), file) == []
    repository.commit("settings.py", f'password = "{PASSWORD[::-1]}"\n')
    assert [leak.path for leak in unknown(leaks(repository.folder), file)] == ["settings.py"]


def private_key(body: str) -> str:
    return f"-----BEGIN {'PRIVATE'} KEY-----\n{body}\n-----END {'PRIVATE'} KEY-----\n"


@pytest.mark.parametrize("name", ["keys.pem", "other.pem"])
def test_a_key_that_is_allowed_allows_no_other_one(repository: Repository, tmp_path: Path, name: str) -> None:
    file = tmp_path / "allowed.json"
    repository.commit("keys.pem", private_key("MIIEmadeup"))
    allow(leaks(repository.folder), "made up", file)
    repository.commit(name, private_key("MIIEmadeup") + private_key("MIIEreal"))
    assert [leak.kind for leak in unknown(leaks(repository.folder), file)] == ["Private Key"]


def test_a_reason_that_was_given_stays(tmp_path: Path) -> None:
    file = tmp_path / "allowed.json"
    first, second = Leak("a", "k", "1"), Leak("b", "k", "2")
    allow({first}, "made up", file)
    allow({first, second}, "another", file)
    assert allowed(file) == {first: "made up", second: "another"}


def test_a_part_of_the_history_is_not_taken_for_all_of_it(repository: Repository, tmp_path: Path) -> None:
    repository.commit("settings.py", f'password = "{PASSWORD}"\n')
    repository.commit("settings.py", 'password = ""\n')
    part = tmp_path / "part"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{repository.folder}", str(part)], check=True)
    with pytest.raises(SystemExit, match="Only a part of the history is here"):
        leaks(part)


def test_it_says_where_and_never_what(repository: Repository) -> None:
    repository.commit("settings.py", f'password = "{PASSWORD}"\n')
    command = [sys.executable, "-m", "infra.security.leaks", "--root", str(repository.folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("settings.py: Secret Keyword (")
    assert "1 places look like secrets, 0 of them are known to be none." in done.stdout
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.skipif("CI" not in os.environ, reason="takes half a minute: CI looks")
def test_nothing_that_is_committed_here_looks_like_a_secret_but_what_is_known_to_be_none() -> None:
    """The files of HEAD; security.yml looks at all that there ever were, which takes minutes."""
    assert [str(leak) for leak in unknown(leaks(ROOT, of="HEAD^{tree}"))] == []


def test_every_exception_says_why() -> None:
    assert len(allowed()) == len(ALLOWED.read_text(encoding="utf-8").splitlines()) - 2
    assert all(len(reason) > 10 for reason in allowed().values())
