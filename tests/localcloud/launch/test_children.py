"""Children: ready or told why not, logged, and stopped."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from localcloud.azurite import free_ports
from localcloud.launch.children import Child, ChildFailed, Children, Log, Spec

READY = 'print(\'{"ready": true, "url": "u"}\', flush=True)'
UNTIL_STDIN_CLOSES = "import sys; sys.stdin.read()"
SERVER = f"{READY}; {UNTIL_STDIN_CLOSES}"


def make_spec(code: str, name: str = "thing", ports: tuple[int, ...] = ()) -> Spec:
    return Spec(name, [sys.executable, "-c", code], dict(os.environ), Path.cwd(), ports)


@pytest_asyncio.fixture
async def children(tmp_path: Path) -> AsyncIterator[Children]:
    family = Children(tmp_path, ready_seconds=30)
    yield family
    await family.stop(grace_seconds=5)


def running_children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "sys.stdin.read()" in " ".join(child.cmdline())]


async def test_the_ready_line_is_returned(children: Children) -> None:
    assert await children.start(make_spec(SERVER)) == {"ready": True, "url": "u"}


async def test_lines_before_the_ready_line_go_to_the_log(children: Children, tmp_path: Path) -> None:
    await children.start(make_spec(f"print('hello'); print('{{\"ready\": false}}'); {SERVER}"))
    assert (tmp_path / "thing.log").read_text() == 'hello\n{"ready": false}\n'


async def test_a_child_may_be_ready_by_its_port(children: Children) -> None:
    (port,) = free_ports(1)
    code = f"import socket; s = socket.create_server(('127.0.0.1', {port})); {UNTIL_STDIN_CLOSES}"
    assert await children.start(make_spec(code, ports=(port,))) == {}


async def test_a_child_that_is_never_ready_is_told_with_its_log(tmp_path: Path) -> None:
    family = Children(tmp_path, ready_seconds=1)
    code = f"import sys; print('still thinking', file=sys.stderr, flush=True); {UNTIL_STDIN_CLOSES}"
    with pytest.raises(ChildFailed, match=r"thing was not ready within 1 s.*\n  still thinking"):
        await family.start(make_spec(code))
    await family.stop()


async def test_a_child_that_ends_before_it_is_ready_is_told_with_its_exit_code(children: Children) -> None:
    with pytest.raises(ChildFailed, match=r"thing ended with exit code 1\. .*\n  no such bucket"):
        await children.start(make_spec("raise SystemExit('no such bucket')"))


async def test_a_child_without_a_word_says_so(children: Children) -> None:
    with pytest.raises(ChildFailed, match="wrote nothing"):
        await children.start(make_spec("raise SystemExit(3)"))


async def test_a_death_is_noticed_and_named(children: Children) -> None:
    await children.start(make_spec(SERVER, "steady"))
    await children.start(make_spec(f"import os; {READY}; os.kill(os.getpid(), 9)", "frail"))
    failure = await asyncio.wait_for(children.first_death(), 20)
    assert str(failure).startswith("frail was ended by SIGKILL.")


async def test_stopping_ends_every_child(children: Children) -> None:
    for name in "abc":
        await children.start(make_spec(SERVER, name))
    assert len(running_children()) == 3
    await children.stop()
    assert running_children() == []


async def test_the_last_one_started_ends_before_the_others(children: Children, tmp_path: Path) -> None:
    code = f"{SERVER}; import time; open({str(tmp_path / 'order')!r}, 'a').write(sys.argv[1])"
    for name in ("first", "last"):
        spec = make_spec(code, name)
        await children.start(Spec(name, [*spec.command, name], spec.env, spec.cwd))
    await children.stop()
    assert (tmp_path / "order").read_text() == "lastfirst"


async def test_a_child_deaf_to_its_stdin_is_killed(tmp_path: Path) -> None:
    child = await Child.start(make_spec(f"{READY}; import time; time.sleep(60)"), Log(tmp_path / "log"))
    await child.ready(30)
    await child.stop(grace_seconds=0.1)
    assert child.ended.result() == -9


async def test_much_output_does_not_stall_a_child(children: Children, tmp_path: Path) -> None:
    await children.start(make_spec(f"{READY}; print('x' * 500_000); raise SystemExit(0)"))
    await asyncio.wait_for(children.first_death(), 20)
    assert (tmp_path / "thing.log").stat().st_size == 500_001


def test_a_tail_is_the_last_lines_only(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log")
    log.write(b"".join(b"line %d\n" % n for n in range(5_000)))
    assert log.tail(2) == "  line 4998\n  line 4999"
    log.close()


def test_a_second_log_at_the_same_path_leaves_the_first_alone(tmp_path: Path) -> None:
    first, second = Log(tmp_path / "a.log"), Log(tmp_path / "a.log")
    first.write(b"one\n")
    second.write(b"two\n")
    assert (first.tail(), second.tail()) == ("  one", "  two")
    first.close()
    second.close()


async def test_a_command_is_run_to_its_end(children: Children, tmp_path: Path) -> None:
    await children.run(make_spec(f"open({str(tmp_path / 'made')!r}, 'w').close()"))
    assert (tmp_path / "made").exists()
    assert children.running() == []


async def test_a_command_that_ends_badly_is_told_with_its_last_words(children: Children) -> None:
    with pytest.raises(ChildFailed, match=r"exit code 3(.|\n)*no storage"):
        await children.run(make_spec("import sys; sys.stderr.write('no storage'); sys.exit(3)"))
