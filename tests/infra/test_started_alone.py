"""A package that starts in bench.package starts by what is in it, not by what happens to be installed here."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.package import HERE, interpreter, start
from infra.package import DEPENDENCIES
from localcloud.host.worker_library import NotInstallable, ensure

APP = """
import azure.functions as func
{more}
app = func.FunctionApp()


@app.route("hello", auth_level=func.AuthLevel.ANONYMOUS)
def hello(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("hello")
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small app with the one library that it needs."""
    try:
        ensure()
    except NotInstallable as exc:
        pytest.skip(str(exc))
    for name in ("azure.functions", "werkzeug", "markupsafe"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, tmp_path / "app" / DEPENDENCIES / name.replace(".", "/"))
    (tmp_path / "app" / "function_app.py").write_text(APP.format(more=""))
    return tmp_path / "app"


def test_a_package_that_holds_all_it_needs_starts(package: Path, tmp_path: Path) -> None:
    assert start(sys.executable, package, tmp_path) == (1, "")


def test_a_library_that_only_this_machine_has_is_missed(package: Path, tmp_path: Path) -> None:
    (package / "function_app.py").write_text(APP.format(more="import pytest"))
    functions, error = start(sys.executable, package, tmp_path)
    assert functions == 0
    assert "pytest" in error


def test_a_module_of_this_checkout_is_missed(package: Path, tmp_path: Path) -> None:
    (package / "function_app.py").write_text(APP.format(more="import core.settings"))
    assert "core" in start(sys.executable, package, tmp_path)[1]


def test_the_interpreter_is_of_the_version_that_was_asked_for() -> None:
    assert interpreter(HERE) == sys.executable
    assert interpreter("2.6") is None
