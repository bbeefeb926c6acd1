"""The app as Microsoft's own worker library sees it, which refuses more than the public library does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localcloud.host.worker_library import NotInstallable, ensure

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = """
import azure.functions as func

app = func.FunctionApp()


@app.route("hello/{name}", auth_level=func.AuthLevel.ANONYMOUS)
def hello(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("hello")


@app.queue_trigger("call", "in", connection="STORAGE")
@app.queue_output("$return", "out", connection="STORAGE")
@app.queue_output("copy", "copies", connection="STORAGE")
async def shout(call: func.QueueMessage, copy: func.Out[str]) -> str:
    copy.set("copied")
    return call.get_body().decode().upper()
"""


@pytest.fixture(scope="module")
def library() -> Path:
    try:
        return ensure()
    except NotInstallable as exc:
        pytest.skip(str(exc))


def report(library: Path, root: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "localcloud.host.worker_library", "--check", "--target", str(library)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [*command, "--root", str(root), *options],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip(), done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def sample(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = SAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "function_app.py").write_text(text)
    return tmp_path


def test_a_sound_app_is_indexed_loaded_and_run(library: Path, tmp_path: Path) -> None:
    answer = report(library, sample(tmp_path), "--invoke", "shout", "--input", "loud")
    assert [function["name"] for function in answer["functions"]] == ["hello", "shout"]
    assert answer["result"] == "LOUD"


def test_a_parameter_that_is_not_named_like_its_binding_is_refused(library: Path, tmp_path: Path) -> None:
    answer = report(library, sample(tmp_path, ("(call: func", "(message: func"), ("call.get", "message.get")))
    assert "shout" in answer["error"]
    assert "message" in answer["error"]


def test_an_output_that_is_not_an_out_is_refused(library: Path, tmp_path: Path) -> None:
    answer = report(library, sample(tmp_path, ("copy: func.Out[str]", "copy: str")))
    assert "copy" in answer["error"]
    assert "azure.functions.Out" in answer["error"]


def test_a_return_annotation_that_its_binding_cannot_carry_is_refused(library: Path, tmp_path: Path) -> None:
    answer = report(library, sample(tmp_path, ("-> str:", "-> int:")))
    assert "return annotation" in answer["error"]


def test_a_function_that_raises_is_told(library: Path, tmp_path: Path) -> None:
    root = sample(tmp_path, ("return call.get_body()", "raise ValueError('why')\n    return call.get_body()"))
    assert "why" in report(library, root, "--invoke", "shout", "--input", "x")["error"]


def test_this_app_is_sound(library: Path) -> None:
    answer = report(library, REPOSITORY)
    assert "error" not in answer, answer["error"]
    names = [function["name"] for function in answer["functions"]]
    assert names
    assert len(names) == len(set(names))
