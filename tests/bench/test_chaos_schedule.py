"""The storm is the same for the same seed, and finds the process it is to strike."""

from __future__ import annotations

import random
import re
import socket
from itertools import islice
from pathlib import Path

import pytest

from bench.chaos.instances import inodes, socket_inode
from bench.chaos.schedule import STEPS, deck, strokes
from localcloud.foundry.faults import NAMES

DECK = len(deck(random.Random(1)))


def names(seed: int) -> list[str]:
    return [stroke.name for stroke in islice(strokes(seed), DECK)]


def test_the_same_seed_is_the_same_storm() -> None:
    assert names(1) == names(1)
    assert names(1) != names(2)


def test_every_deck_has_every_kind_of_stroke() -> None:
    assert set(names(3)) == {"agents", "adf", "storage", "kill", "calls", "restart"}


SET_UP = {"http_403"}  # an identity without rights: no storm brings it, and none takes it away


def test_every_fault_of_the_agent_service_is_in_the_deck() -> None:
    from bench.chaos.schedule import AGENTS

    assert {name for body in AGENTS for name in body} == set(NAMES) - SET_UP


@pytest.mark.parametrize(
    ("step", "request_name"),
    [
        ("question_recorded", "POST /acct/$batch"),
        ("session_written", "POST /acct/sessions"),
        ("question_queued", "POST /acct/run-requests/messages?x=y"),
        ("question_taken", "GET /acct/run-requests/messages?numofmessages=16"),
        ("call_taken", "GET /acct/azure-function-adf-runs-input/messages?numofmessages=16"),
        ("reply_sent", "POST /acct/azure-function-adf-runs-output/messages"),
        ("answer_claimed", "POST /acct/toolanswers"),
        ("call_done_with", "DELETE /acct/azure-function-adf-runs-input/messages/1?popreceipt=2"),
    ],
)
def test_each_step_is_known_by_its_request(step: str, request_name: str) -> None:
    assert [name for name, pattern in STEPS.items() if re.search(pattern, request_name)] == [step]


def test_finds_whose_connection_has_a_port() -> None:
    import os

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        inode = socket_inode(port, Path("/proc/net/tcp").read_text(encoding="ascii"))
        assert inode in inodes(os.getpid())


def test_a_port_that_nobody_has_has_no_inode() -> None:
    assert socket_inode(1, "header\n") == ""
