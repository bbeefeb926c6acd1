"""What was found, for a terminal: what has to be mended first, then what is well, each on a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap

from orchestrator.doctor.findings import Finding, Result

ORDER: tuple[Result, ...] = ("failed", "warning", "skipped", "ok")
WIDTH = 100


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    for result in ORDER:
        for each in findings:
            if each.result == result:
                yield from _one(each)
    counts = Counter(each.result for each in findings)
    told = ", ".join(f"{counts[result]} {result}" for result in reversed(ORDER) if counts[result])
    yield f"{len({each.check for each in findings})} checks, {len(findings)} findings: {told}."


def _one(finding: Finding) -> Iterator[str]:
    head = f"{finding.result:<8} {finding.check}: {finding.found}"
    yield from wrap(head, WIDTH, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False)
    if finding.result in ("failed", "warning"):
        yield from _part("Why", finding.why)
    if finding.result != "ok":
        yield from _part("Mend", finding.mend)


def _part(label: str, text: str) -> Iterator[str]:
    """Not wrapped: it is for copying."""
    if text:
        yield f"         {label}: {text}"
