"""Steps of the pipelines that need no cloud, run as they stand: in a clone, by a runner's shell with its options."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.release import packages
from infra.release.packages import fingerprint
from tests.infra.release.place import Place, tool
from tests.infra.release.test_commands import AZD, GIVEN
from tests.infra.workflows.reading import DEVOPS, GITHUB, Job, Pipelines, run

pytestmark = pytest.mark.xdist_group("package")  # which is built once
ROOT = Path(__file__).resolve().parents[3]
PIPELINES = Pipelines(ROOT)
RUNNER = [shutil.which("bash") or "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
JOBS = {f"{job.file}:{job.name}": job for job in PIPELINES.jobs()}

Done = subprocess.CompletedProcess[str]


def step(job: Job, words: str) -> str:
    (found,) = [run(each) for each in job.steps if words in run(each)]
    return found


def ran(command: str, folder: Path, **env: str) -> Done:
    usual = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/")}
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
    return subprocess.run(
        [*RUNNER, command], cwd=folder, env={**kept, **usual, **env}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of what is committed, with this environment: making one of its own takes minutes, and is tried by CI itself."""
    folder = tmp_path_factory.mktemp("clone") / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(folder)], check=True)
    (folder / ".venv").mkdir()
    for name in ("bin", "lib", "include", "pyvenv.cfg"):
        if (ROOT / ".venv" / name).exists():
            (folder / ".venv" / name).symlink_to(ROOT / ".venv" / name)
    for name in ("made", "packages.installed"):
        (folder / ".venv" / name).touch()
    return folder


@pytest.fixture(scope="module")
def built(clone: Path) -> tuple[Path, str]:
    """The package, and what the step told the next ones."""
    job = JOBS[f"{GITHUB}/deploy.yml:package"]
    output = clone.parent / "output"
    done = ran(step(job, "build.sh"), clone, GITHUB_OUTPUT=str(output))
    assert done.returncode == 0, done.stdout + done.stderr
    return clone / ".localcloud" / "package.zip", output.read_text()


def test_the_package_is_named_by_the_commit_that_was_checked_out(clone: Path, built: tuple[Path, str]) -> None:
    package, told = built
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone, capture_output=True, text=True, check=True).stdout
    assert packages.read(package).version.endswith(f"-{commit[:12]}")
    assert told == f"version={packages.read(package).version}\nsha256={fingerprint(package)}\n"


def test_the_same_step_of_azure_devops_tells_the_same(clone: Path, built: tuple[Path, str]) -> None:
    """Without building again: make is told that it did."""
    quick = clone.parent / "quick"
    quick.mkdir()
    (quick / "make").write_text("#!/bin/sh\n")
    (quick / "make").chmod(0o755)
    job = JOBS[f"{DEVOPS}/azure-pipelines.yml:package.package"]
    done = ran(step(job, "build.sh"), clone, PATH=f"{quick}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert f"##vso[task.setvariable variable=sha256;isOutput=true]{fingerprint(built[0])}" in done.stdout.splitlines()


def test_a_package_that_is_none_is_not_told_as_built(tmp_path: Path) -> None:
    for name in ("make", "python3"):
        (tmp_path / name).write_text(f"#!/bin/sh\n[ {name} = make ]\n")
        (tmp_path / name).chmod(0o755)
    done = ran("sh infra/release/build.sh", ROOT, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode != 0
    assert done.stdout == ""


@pytest.mark.parametrize(
    "job", [f"{GITHUB}/stage.yml:deploy", f"{DEVOPS}/templates/stage.yml:${{{{ parameters.stage }}}}.deploy"]
)
def test_only_the_file_that_was_built_goes_on(job: str, tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    file = tmp_path / "release" / "package.zip"
    file.write_text("the package")
    check, sound = step(JOBS[job], "sha256sum"), fingerprint(file)
    assert ran(check, tmp_path, SHA256=sound).returncode == 0
    file.write_text("another one")
    assert ran(check, tmp_path, SHA256=sound).returncode != 0
    assert ran(check, tmp_path, SHA256="").returncode != 0


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    (tmp_path / "azd.py").write_text(AZD)
    tool(made.bin / "azd", tmp_path / "azd.py")
    return made


@pytest.fixture
def at(place: Place) -> Callable[..., Done]:
    """A step in this checkout, with the az and the azd of a test."""

    def go(command: str, **env: str) -> Done:
        path = f"{place.bin}:{os.environ['PATH']}"
        return ran(command, ROOT, **(place.env | GIVEN | {"PATH": path} | env))

    return go


def test_the_steps_that_call_azure_call_it_as_az_and_azd_are_called(at: Callable[..., Done], place: Place) -> None:
    tried = 0
    for name in ("preview", "deploy"):
        for command in JOBS[f"{GITHUB}/stage.yml:{name}"].commands:
            if re.search(r"infra\.release (preview|provision)", command):
                done = at(command, GITHUB_STEP_SUMMARY=str(place.folder / "summary"))
                assert done.returncode == 0, done.stderr
                tried += 1
    assert tried == 2
    words = [line.split(" {")[0] for line in (place.state / "azd").read_text().splitlines()]
    assert [line for line in words if line.startswith("provision")] == [
        "provision --preview --no-prompt",
        "provision --no-prompt",
    ]


@pytest.mark.parametrize("job", [f"{GITHUB}/rollback.yml:rollback", f"{DEVOPS}/rollback.yml:rollback.rollback"])
def test_going_back_says_what_there_is_and_refuses_what_there_is_not(at: Callable[..., Done], job: str) -> None:
    assert at(step(JOBS[job], " list")).returncode == 0
    done = at(step(JOBS[job], " rollback"), VERSION="0.1.0-none; echo hello")
    assert done.returncode == 1
    assert done.stderr.startswith("0.1.0-none; echo hello is kept for func-x, only nothing")
    assert "hello\n" not in done.stdout


def test_a_deployment_of_no_package_fails_before_azure_is_asked(at: Callable[..., Done], place: Place) -> None:
    command = step(JOBS[f"{GITHUB}/stage.yml:deploy"], "infra.release deploy")
    done = at(command)
    assert done.returncode == 1
    assert "make release" in done.stderr
    assert not [call for call in place.calls if "config-zip" in call]


def test_a_machine_without_a_compiler_says_so_and_goes_on(tmp_path: Path) -> None:
    command = step(JOBS[f"{GITHUB}/check.yml:templates"], "bicep.sh")
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "sh").symlink_to("/bin/sh")
    done = ran(command, ROOT, PATH=str(bare), HOME=str(tmp_path))
    assert done.returncode == 0
    assert done.stderr == "There is no Bicep compiler here: the templates were not compiled.\n"


def test_one_with_a_compiler_fails_where_it_does(tmp_path: Path) -> None:
    command = step(JOBS[f"{GITHUB}/check.yml:templates"], "bicep.sh")
    compiler = tmp_path / "bicep"
    compiler.write_text(f'#!/bin/sh\necho "$@" >>"{tmp_path}/calls"\n[ "$1" != build ]\n')
    compiler.chmod(0o755)
    done = ran(command, ROOT, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode != 0
    assert (tmp_path / "calls").read_text().splitlines() == ["--version", "build infra/main.bicep --stdout"]
