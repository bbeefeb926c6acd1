"""What is wrong with an app is told before anything runs."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from localcloud.host.app_host import AppHost, Options, load
from localcloud.host.host_json import load_host_json
from localcloud.host.settings import LoadError
from tests.localcloud.host.running import REPOSITORY, start, stop

HEAD = "import azure.functions as func\napp = func.FunctionApp()\n"
HELLO = "@app.route('hello')\ndef hello(req: func.HttpRequest) -> str:\n    return 'x'\n"
QUEUE = "@app.queue_trigger('m', 'queue', connection='NOWHERE')\ndef worker(m: func.QueueMessage) -> None: ...\n"
TIMER = "@app.timer_trigger('t', '%SOMETIME%')\ndef later(t: func.TimerRequest) -> None: ...\n"
BLOB = "@app.blob_trigger('b', 'path', connection='STORAGE')\ndef blob(b: func.InputStream) -> None: ...\n"


def write_app(folder: Path, text: str) -> str:
    """The module's name, a new one each time: Python remembers modules."""
    name = f"app_{uuid.uuid4().hex}"
    (folder / f"{name}.py").write_text(text)
    (folder / "host.json").write_text("{}")
    return name


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # and back again afterwards
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


async def assemble(folder: Path, text: str) -> AppHost:
    parts = load(write_app(folder, text), folder, load_host_json(folder))
    host = AppHost(parts, Options(key="k"))
    await host.background()
    return host


def outcome(folder: Path, app: str) -> tuple[str, str, int | None]:
    """The first line of stdout, the log, and the exit code (None when it serves)."""
    process, log = start(app, {}, folder, "--root", str(folder))
    try:
        line = process.stdout.readline() if process.stdout else ""
        return line, log.read_text(), None if line else process.wait(20)
    finally:
        stop(process)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + HELLO + HELLO, "hello does not have a unique function name"),
        (HEAD + HELLO + "other = app\n", "Only one name may hold a function app"),
        ("app = 1\n", "is not a function app"),
        (HEAD + HELLO.replace("req:", "request:"), "parameters without a binding: request"),
        (HEAD + QUEUE, "Set NOWHERE to a connection string or NOWHERE__queueServiceUri"),
        (HEAD + TIMER, "needs the setting 'SOMETIME'"),
        (HEAD + TIMER.replace("%SOMETIME%", "0 61 * * * *"), "'61' is no minute"),
        (HEAD + HELLO.replace("'hello'", "'hello/{id:odd}'"), "constraint 'odd'"),
    ],
)
async def test_a_broken_app_is_refused_with_the_reason(folder: Path, text: str, said: str) -> None:
    with pytest.raises(LoadError, match=said):
        await assemble(folder, text)


def test_an_app_that_cannot_be_imported_ends_the_host_with_the_reason(tmp_path: Path) -> None:
    line, log, code = outcome(tmp_path, write_app(tmp_path, "import no_such_module\n"))
    assert (line, code) == ("", 1)
    assert "No module named 'no_such_module'" in log


def test_a_refused_app_ends_the_host_with_the_reason(tmp_path: Path) -> None:
    line, log, code = outcome(tmp_path, write_app(tmp_path, HEAD + HELLO + HELLO))
    assert (line, code) == ("", 1)
    assert "hello does not have a unique function name" in log
    assert "Traceback" not in log


def test_a_folder_without_host_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"no host\.json"):
        load_host_json(tmp_path)


async def test_a_trigger_it_does_not_know_is_told_and_the_rest_served(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host = await assemble(folder, HEAD + HELLO + BLOB)
    assert [function.name for function in host.functions] == ["hello"]
    assert "'blob' is not served by this host: its trigger is a blobTrigger" in caplog.text


def test_the_values_of_local_settings_reach_the_app(tmp_path: Path) -> None:
    app = write_app(tmp_path, "import os\nassert os.environ['GREETING'] == 'hi'\n" + HEAD + HELLO)
    (tmp_path / "local.settings.json").write_text('{"IsEncrypted": false, "Values": {"GREETING": "hi"}}')
    line, log, _ = outcome(tmp_path, app)
    assert line, log
    assert json.loads(line)["functions"] == 1


def test_the_host_imports_nothing_of_the_product() -> None:
    own = ("core", "tools_worker", "orchestrator", "function_app")
    for path in (REPOSITORY / "localcloud" / "host").glob("*.py"):
        for text in path.read_text().splitlines():
            words = text.split()
            if words[:1] in (["from"], ["import"]):
                assert words[1].split(".")[0] not in own, f"{path.name}: {text}"
