"""A deployment that is not well is told from one that is, in a sentence that says what is wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.release import smoke
from infra.release.failure import Failed
from infra.release.smoke import App, Patience
from tests.infra.release.place import KEY, SICK, SOUND, Answer, AnsweringApp, Place

GOOD = "0.1.0-good"
QUICK = Patience(seconds=0.3, pause=0.01, request=5)
DEEP = "/api/health?deep=true"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AnsweringApp]:
    place = Place(tmp_path)
    place.write("func-x.version", GOOD)
    with place.app() as app:
        yield app


def app_at(server: AnsweringApp, patience: Patience = QUICK, key: Callable[[], str] = lambda: KEY) -> App:
    return App(server.url, key, patience)


def failing(app: App, version: str = GOOD) -> str:
    with pytest.raises(Failed) as caught:
        smoke.smoke(app, version, lambda text: None)
    return str(caught.value)


def test_a_good_one_is_said_to_be_so_step_by_step(server: AnsweringApp) -> None:
    said: list[str] = []
    smoke.smoke(app_at(server), GOOD, said.append)
    assert said == [f"{GOOD} answers.", "1 checks, none failed.", "A question was answered: run run-1."]
    assert server.keys == {KEY}


def test_another_version_is_not_the_one_that_was_deployed(server: AnsweringApp) -> None:
    text = failing(app_at(server), "0.1.0-new")
    assert text == f"0.1.0-new does not answer after 0 seconds: the last was version {GOOD}."
    assert server.looks == 0  # nothing else is asked of it


def test_the_new_version_is_waited_for(server: AnsweringApp) -> None:
    old: Answer = (200, {"version": "0.1.0-old"})
    server.says["/api/health"] = [(503, {"version": None}), (502, b"Bad gateway"), old, old]
    smoke.smoke(app_at(server, Patience(30, 0.01, 5)), GOOD, lambda text: None)


def test_one_that_never_answers_is_given_up(server: AnsweringApp) -> None:
    server.version_file.write_text("0.1.0-hung")
    text = failing(app_at(server, Patience(0, 0.01, 0.2)), "0.1.0-hung")
    assert "does not answer" in text
    assert "timed out" in text


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
    ],
)
def test_an_answer_that_is_no_http_is_none(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answering, args=(listening, answer))
        thread.start()
        port = listening.getsockname()[1]
        text = failing(App(f"http://127.0.0.1:{port}", lambda: KEY, Patience(0, 0.01, 5)))
        thread.join()
    assert "does not answer" in text


def answering(listening: socket.socket, answer: bytes) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.recv(10_000)
        connection.sendall(answer)


def test_where_nobody_listens_that_is_said() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        text = failing(App(f"http://127.0.0.1:{unused.getsockname()[1]}", lambda: KEY, QUICK))
    assert "no answer" in text
    assert "refused" in text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, b"<html>Your app is up</html>"), "200 with something that is no JSON"),
        ((200, ["ok"]), "200 with no object"),
        ((401, {}), "401 without a version"),
        ((200, {"status": "ok"}), "200 without a version"),
    ],
)
def test_whatever_else_answers_is_not_the_app(server: AnsweringApp, answer: Answer, said: str) -> None:
    server.says["/api/health"] = [answer] * 1000
    assert said in failing(app_at(server))


def test_what_the_doctor_finds_is_told_with_what_mends_it(server: AnsweringApp) -> None:
    server.version_file.write_text("0.1.0-ill")
    text = failing(app_at(server), "0.1.0-ill")
    assert text == "The app is not well: queues: 'runs' is missing. Run azd provision."
    assert server.asked == []  # no question is paid for


def test_a_missing_setting_is_told(server: AnsweringApp) -> None:
    problem = {"area": "foundry", "setting": "FOUNDRY_MODEL", "text": "It is missing."}
    server.says[DEEP] = [(503, {"status": "misconfigured", "problems": [problem], "findings": [SOUND]})] * 1000
    assert failing(app_at(server)) == "The app is not well: FOUNDRY_MODEL: It is missing."


@pytest.mark.parametrize(
    "body",
    [
        {"status": "ok", "findings": []},
        {"status": "ok", "findings": "none"},
        {"status": "ok"},
        {"status": "ok", "findings": [SOUND, SICK]},
    ],
)
def test_a_look_that_looked_at_nothing_or_contradicts_itself_is_no_good_one(server: AnsweringApp, body: Answer) -> None:
    server.says[DEEP] = [(200, body)] * 1000
    assert "not well" in failing(app_at(server))


def test_an_instance_that_still_runs_the_one_before_is_waited_for(server: AnsweringApp) -> None:
    old: Answer = (200, {"status": "ok", "version": "0.1.0-old", "findings": [SOUND]})
    server.says[DEEP] = [old, old]
    smoke.smoke(app_at(server, Patience(30, 0.01, 5)), GOOD, lambda text: None)
    server.says[DEEP] = [old] * 1000
    assert failing(app_at(server)) == f"The app is well, but not all of it is {GOOD}: 0.1.0-old still answers."


def test_a_role_that_is_not_known_everywhere_yet_is_waited_for(server: AnsweringApp) -> None:
    server.says[DEEP] = [(503, {"status": "failing", "findings": [SICK]})] * 3
    smoke.smoke(app_at(server, Patience(30, 0.01, 5)), GOOD, lambda text: None)
    assert server.looks == 1


def test_a_question_that_takes_long_is_followed_to_its_end(server: AnsweringApp) -> None:
    server.says["/api/ask"] = [(202, {"run_id": "run-1", "status": "queued"})]
    working: Answer = (202, {"run_id": "run-1", "status": "working"})
    done: Answer = (200, {"run_id": "run-1", "status": "done", "answer": "Nothing.", "tool_calls": 1})
    server.says["/api/runs/run-1"] = [working, (503, {}), working, done]
    smoke.smoke(app_at(server, Patience(30, 0.01, 5)), GOOD, lambda text: None)
    assert len(server.asked) == 1


def test_a_question_that_got_no_answer_is_sent_again_under_its_name(server: AnsweringApp) -> None:
    server.says["/api/ask"] = [(503, {}), (429, {})]
    smoke.smoke(app_at(server, Patience(30, 0.01, 5)), GOOD, lambda text: None)
    assert len(server.asked) == 3
    assert len(set(server.asked)) == 1


def test_a_run_that_ends_badly_fails_it(server: AnsweringApp) -> None:
    server.version_file.write_text("0.1.0-mute")
    text = failing(app_at(server), "0.1.0-mute")
    assert text.endswith("was not answered: run run-1 is expired: The model did not answer.")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((422, {"title": "invalid_request", "detail": "The question is too long."}), "The question is too long."),
        ((200, {"run_id": "run-1", "status": "done", "answer": ""}), "run run-1 is done."),
        ((200, {"run_id": "run-1", "status": "failed"}), "run run-1 is failed."),
        (
            (200, {"run_id": "run-1", "status": "done", "answer": "All is well.", "tool_calls": 0}),
            "was answered without a look into Data Factory: run run-1.",
        ),
        ((200, {"run_id": "run-1", "status": "expired", "answer": "As far as"}), "run run-1 is expired."),
        ((202, {"run_id": "../admin", "status": "queued"}), "run ../admin is queued."),
        ((403, {}), "the app answered 403."),
    ],
)
def test_any_other_end_of_a_question_fails_it(server: AnsweringApp, answer: Answer, said: str) -> None:
    server.says["/api/ask"] = [answer]
    assert failing(app_at(server)).endswith(said)
    assert len(server.asked) == 1


def test_a_key_that_cannot_be_had_yet_is_asked_for_again(server: AnsweringApp) -> None:
    answers = iter(["none yet", KEY])

    def key() -> str:
        word = next(answers, KEY)
        if word != KEY:
            raise Failed(word)
        return word

    smoke.smoke(app_at(server, Patience(30, 0.01, 5), key), GOOD, lambda text: None)


def test_the_key_goes_to_nobody_else(server: AnsweringApp, tmp_path: Path) -> None:
    """A redirect is followed without it."""
    place = Place(tmp_path / "elsewhere")
    place.write("func-x.version", GOOD)
    with place.app() as elsewhere:
        server.RequestHandlerClass = redirecting(elsewhere.url)
        app_at(server).get("/api/health")
        assert elsewhere.keys == {None}


def redirecting(url: str) -> type:
    from tests.infra.release.place import Handler

    class Redirecting(Handler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"{url}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Redirecting
