"""Percentiles, the time that is a system's own, and the ratios: no input, no output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] if ordered else float("nan")


@dataclass(frozen=True)
class Measured:
    """A system in a cell. Counts are of all questions together."""

    seconds: tuple[float, ...]  # of each question
    wrong: int
    elapsed_seconds: float
    model_seconds: float  # as the agent service's own clock has it, from the begin of each turn to its end
    adf_seconds: float  # in which Data Factory had any request to answer
    adf_request_seconds: float  # one request's share of them for a question that is alone: what it adds to the wait
    turns: int
    agent_requests: int
    adf_requests: int
    queue_operations: int
    table_operations: int
    bytes_to_model: int
    cpu_seconds: float
    rss_mb: float

    @property
    def asked(self) -> int:
        return len(self.seconds)

    @property
    def own_seconds(self) -> float:
        """A question's time outside the model and Data Factory, in the mean: of means, parts may be taken away.

        The turns of a question follow each other, in all three systems, so that all of them lie on its path. Requests
        to Data Factory do not, so that a request counts with its share of the time in which at least one was under
        way, for a question that is alone. Only requests that were made count: an answer that was still known costs no
        wait, and who waits for another's request has that in his own time.
        """
        adf = self.adf_request_seconds * self.adf_requests
        return fmean(self.seconds) - (self.model_seconds + adf) / self.asked

    @property
    def alone_request_seconds(self) -> float:
        """Of a cell with one asker: the share of a request."""
        return self.adf_seconds / self.adf_requests if self.adf_requests else 0.0

    @property
    def per_minute(self) -> float:
        return self.asked / self.elapsed_seconds * 60

    def each(self, total: float) -> float:
        return total / self.asked

    def row(self) -> dict[str, float]:
        return {
            "p50_s": round(percentile(self.seconds, 0.5), 3),
            "p99_s": round(percentile(self.seconds, 0.99), 3),
            "own_s": round(self.own_seconds, 3),
            "turns": round(self.each(self.turns), 2),
            "agent_requests": round(self.each(self.agent_requests), 2),
            "adf_requests": round(self.each(self.adf_requests), 2),
            "queue_operations": round(self.each(self.queue_operations), 1),
            "table_operations": round(self.each(self.table_operations), 1),
            "bytes_to_model": round(self.each(self.bytes_to_model)),
            "per_minute": round(self.per_minute, 1),
            "cpu_ms": round(self.each(self.cpu_seconds) * 1000),
            "rss_mb": round(self.rss_mb),
            "asked": self.asked,
            "wrong": self.wrong,
        }


def ratios(gated: Mapping[str, Measured]) -> dict[str, float]:
    """Of the gated cell: ours over theirs."""
    ours, pattern, floor = (gated[name] for name in ("ours", "pattern", "floor"))
    return {
        "ratio_time_to_pattern": round(ours.own_seconds / pattern.own_seconds, 3),
        "ratio_time_to_floor": round(ours.own_seconds / floor.own_seconds, 2),
        "ratio_agent_requests": round(ours.each(ours.agent_requests) / pattern.each(pattern.agent_requests), 2),
        "ratio_bytes_to_model": round(ours.each(ours.bytes_to_model) / pattern.each(pattern.bytes_to_model), 3),
    }


def throughput(crowd: Mapping[str, Measured]) -> float | None:
    """Ours over the pattern's; None where it was not measured."""
    return round(crowd["ours"].per_minute / crowd["pattern"].per_minute, 2) if crowd else None
