"""Edits of the audit trail: a chain of ten thousand entries verified, and every way of changing one tried."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain as chained
from pathlib import Path

from localcloud.launch.cloud import ROOT
from orchestrator.audit.anchors import Anchor
from orchestrator.audit.lines import GENESIS, Line, write
from orchestrator.audit.record import Actor, Entry, Kind, plain
from orchestrator.audit.verify import Finding, Verifier

CHAIN, OTHER = "20261121-030000-3f2a9c01d4e5", "20261121-040000-aaaaaaaaaaaa"
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("question", "tool_call", "decision", "write")
Verify = Callable[[bytes, Mapping[str, bytes]], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Edit:
    name: str
    data: bytes
    anchors: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Found:
    entries: int
    seconds: float  # in this process, the best of three
    command_seconds: float
    tried: int
    missed: tuple[str, ...]


def chain(count: int, name: str = CHAIN) -> list[Line]:
    """What a busy day leaves: questions, calls, decisions and writes, in turn."""
    lines: list[Line] = []
    for number in range(1, count + 1):
        previous = lines[-1].hash if lines else GENESIS
        lines.append(write(name, number, previous, plain(_entry(number))))
    return lines


def _entry(number: int) -> Entry:
    at = NOW + timedelta(seconds=number)
    actor = Actor("person", "ana@contoso.com", "8f1c2b3a-0000-4000-8000-000000000001")
    action = f"A-202611-{number:016x}"
    given = {"kind": "rerun", "run_id": f"{number:08x}-2e4b-4c8e-9d3f-1a2b3c4d5e6f", "mode": "from_failure"}
    why = "rule 'repairs in production': somebody else looks at what is done in production"
    return Entry(
        at, KINDS[number % 4], actor, f"Rerun LoadSales, {number}", action, "adf-prod", "ui", given, why, "done: well."
    )


def exported(lines: Sequence[Line]) -> bytes:
    return b"".join(line.data + b"\n" for line in lines)


def anchors(*lines: Line) -> dict[str, bytes]:
    return {Anchor.of(line).name: Anchor.of(line).data for line in lines}


def verify(data: bytes, held: Mapping[str, bytes]) -> Sequence[Finding]:
    verifier = Verifier(held)
    verifier.file("export", data)
    return verifier.report().findings


def run(entries: int, sample: int, whole: int, seed: int, look: Verify = verify) -> Found:
    """Every byte of a chain of `sample` entries, and `whole` random bytes of the long one."""
    dice = random.Random(seed)
    long = chain(entries)
    data, held = exported(long), anchors(*long[99::100], long[-1])
    seconds = min(_timed(lambda: look(data, held)) for _ in range(3))
    if look(data, held):
        raise RuntimeError("Nobody has touched this chain, and something is found in it.")
    short = chain(sample)
    kept = anchors(short[sample // 2], short[-1])
    tried = 0
    missed: list[str] = []
    edits = chained(
        _all_bytes(exported(short), kept, dice), structural(short, chain(3, OTHER)), _some(data, held, whole, dice)
    )
    for edit in edits:  # one at a time: the long chain has some megabytes
        tried += 1
        missed += [] if look(edit.data, edit.anchors) else [edit.name]
    return Found(entries, seconds, command_seconds(data, held, entries), tried, tuple(missed))


def command_seconds(data: bytes, held: Mapping[str, bytes], entries: int) -> float:
    """Of the command that people use, from its start to its end, over files."""
    with tempfile.TemporaryDirectory(prefix="trail-") as name:
        folder = Path(name)
        for file, content in {**held, "export.jsonl": data}.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
        given = ("verify", "--export", str(folder / "export.jsonl"), "--anchors", str(folder))
        command = [sys.executable, "-m", "orchestrator.audit", *given]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
    if done.returncode or f"{entries} entries in 1 chains" not in done.stdout:
        raise RuntimeError(f"The command says {done.stdout}{done.stderr}")
    return seconds


def _all_bytes(data: bytes, held: Mapping[str, bytes], dice: random.Random) -> Iterator[Edit]:
    """At every place another byte, one more, one less; and the same with no anchors to hold it against."""
    for at in range(len(data)):
        other = bytes([(data[at] + dice.randrange(1, 256)) % 256])
        yield Edit(f"byte {at} is {other!r}", data[:at] + other + data[at + 1 :], held)
        yield Edit(f"byte {at} has its lowest bit turned", data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], {})
        yield Edit(f"before byte {at} stands {other!r}", data[:at] + other + data[at:], held)
        yield Edit(f"byte {at} is gone", data[:at] + data[at + 1 :], held)


def _some(data: bytes, held: Mapping[str, bytes], count: int, dice: random.Random) -> Iterator[Edit]:
    for _ in range(count):
        at = dice.randrange(len(data))
        other = bytes([(data[at] + dice.randrange(1, 256)) % 256])
        yield Edit(f"byte {at} of the long chain is {other!r}", data[:at] + other + data[at + 1 :], held)


def structural(lines: Sequence[Line], other: Sequence[Line]) -> Iterator[Edit]:
    """Whole lines: away, twice, exchanged, cut off, from another chain, written anew with right hashes."""
    held = {**anchors(lines[len(lines) // 2], lines[-1]), **anchors(other[-1])}
    both = exported(other)
    for at in range(len(lines)):
        without = [*lines[:at], *lines[at + 1 :]]
        yield Edit(f"entry {at + 1} is gone", exported(without) + both, held)
        yield Edit(f"entry {at + 1} is there twice", exported([*lines[: at + 1], *lines[at:]]) + both, held)
        yield Edit(f"what comes after entry {at} is cut off", exported(lines[:at]) + both, held)
        yield Edit(f"entries from {at + 1} on are written anew", exported(forged(lines, at)) + both, held)
        if at:
            swapped = [*lines[: at - 1], lines[at], lines[at - 1], *lines[at + 1 :]]
            yield Edit(f"entries {at} and {at + 1} have changed places", exported(swapped) + both, held)
    yield Edit("a chain is gone", exported(lines), held)
    yield Edit("a line of one chain stands in another", exported([*lines, *other[:1], *other]), held)


def forged(lines: Sequence[Line], at: int) -> list[Line]:
    """By somebody who computes hashes: one word changed, and every hash after it."""
    made = list(lines[:at])
    for line in lines[at:]:
        told = dict(line.entry)
        if line.seq == at + 1:
            told["what"] = "Nothing happened"
        made.append(write(line.chain, line.seq, made[-1].hash if made else GENESIS, told))
    return made


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
