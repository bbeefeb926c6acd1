"""Figures of cost and performance come from what ADF sent: summed by hand here, and nothing added."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools_worker.properties.calling import call
from tests.tools_worker.properties.mutation import JSON, ODD_NUMBERS, ODD_SHAPES, ODD_TEXTS, spoilt
from tests.tools_worker.properties.worlds import BY_HAND, COLLECTED, outputs, run_id, without_collection

RATES = {  # meter and activity type → US dollars, as the price list had them when this was written
    ("AzureIR", "DataMovement"): "0.25",
    ("AzureIR", "PipelineActivity"): "0.005",
    ("AzureIR", "ExternalActivity"): "0.00025",
    ("SelfhostedIR", "DataMovement"): "0.10",
}
ODD_AMOUNT = st.sampled_from((*ODD_NUMBERS, *ODD_SHAPES, *ODD_TEXTS))
AMOUNT = st.floats(0, 5000) | st.integers(0, 5000)
EXAMPLES = max(10, settings().max_examples // 4)


def billed(lines: list[tuple[str, str, Any]]) -> dict[str, Any]:
    """A run with one copy for each line: meter, activity type, amount."""
    raw: dict[str, Any] = json.loads(json.dumps(BY_HAND.raw))
    copy = raw["activities"][run_id(1)][1]
    raw["activities"][run_id(1)] = [
        copy
        | {
            "activityRunId": run_id(500 + n),
            "output": {
                "billingReference": {
                    "activityType": kind,
                    "billableDuration": [{"meterType": meter, "duration": amount, "unit": "Hours"}],
                }
            },
        }
        for n, (meter, kind, amount) in enumerate(lines)
    ]
    return raw


def usable(amount: object) -> bool:
    return (
        isinstance(amount, int | float)
        and not isinstance(amount, bool)
        and (isinstance(amount, int) or math.isfinite(amount))
        and 0 <= amount <= 1_000_000
    )


@settings(max_examples=EXAMPLES)
@given(st.lists(st.tuples(st.sampled_from(list(RATES)), AMOUNT | ODD_AMOUNT), min_size=1, max_size=6))
async def test_the_execution_costs_what_the_readable_lines_sum_up_to(lines: list[tuple[tuple[str, str], Any]]) -> None:
    told = await call(BY_HAND, billed([(*meter, amount) for meter, amount in lines]), "adf_cost", {"run_id": run_id(1)})
    expected = sum((Decimal(RATES[meter]) * Decimal(str(a)) for meter, a in lines if usable(a)), Decimal(0))
    assert abs(Decimal(told["data"]["execution_usd"]) - expected) < Decimal("0.000002")
    assert told["data"]["activity_runs"] == len(lines)


@pytest.mark.parametrize("part", ["billingReference", "billableDuration", "meterType", "activityType", "unit"])
@settings(max_examples=EXAMPLES)
@given(broken=st.sampled_from((*ODD_SHAPES, *ODD_TEXTS)) | JSON)
async def test_a_broken_bill_never_costs_more_than_the_sound_one(part: str, broken: Any) -> None:
    raw = billed([("AzureIR", "DataMovement", 4)])
    output = raw["activities"][run_id(1)][0]["output"]
    reference = output["billingReference"]
    for holder in (output, reference, reference["billableDuration"][0]):
        if part in holder:
            holder[part] = broken
    told = await call(BY_HAND, raw, "adf_cost", {"run_id": run_id(1)})
    assert 0 <= Decimal(told["data"]["execution_usd"]) <= 1


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18:
        yield value


COPIES = [BY_HAND.raw["activities"][run_id(1)][1]["output"]]
COPIES += [output for name, output in outputs().items() if name.startswith("copy")] if COLLECTED.is_dir() else []


@settings(max_examples=EXAMPLES)
@given(st.data())
async def test_every_figure_of_a_copy_stands_in_its_output(data: st.DataObject) -> None:
    output = data.draw(spoilt(data.draw(st.sampled_from(COPIES))))
    raw: dict[str, Any] = json.loads(json.dumps(BY_HAND.raw))
    raw["activities"][run_id(1)] = [raw["activities"][run_id(1)][1] | {"output": output}]
    told = await call(BY_HAND, raw, "adf_run_performance", {"run_id": run_id(1)})
    known = {int(n) for n in numbers(output)}
    for copy in told["data"].get("copies", ()):
        steps = output.get("executionDetails") if isinstance(output, dict) else None
        sums = {a + b for a in known for b in known} if isinstance(steps, list) and len(steps) > 1 else set()
        seen = [*(copy.get("phases_s") or {}).values(), *(copy.get("throttled") or {}).values()]
        seen += [copy.get("data_integration_units"), copy.get("parallel_copies")]
        assert {n for n in seen if n is not None} <= known | sums
        assert all(n >= 0 for n in (copy.get("phases_s") or {}).values())
        assert copy.get("throughput_kb_s") in {None, *numbers(output)}


@settings(max_examples=EXAMPLES)
@given(ODD_AMOUNT)
async def test_rows_and_durations_are_told_as_sent_or_not_at_all(amount: Any) -> None:
    raw: dict[str, Any] = json.loads(json.dumps(BY_HAND.raw))
    one = raw["activities"][run_id(1)][1]
    one |= {"durationInMs": amount, "output": {"rowsRead": amount, "rowsCopied": amount}}
    raw["activities"][run_id(1)] = [one]
    told = await call(BY_HAND, raw, "adf_activity_runs", {"run_id": run_id(1)})
    (row,) = told["data"]["activities"]
    known = {int(n) for n in numbers([amount])}
    assert {row[name] for name in ("rowsRead", "rowsCopied") if name in row} <= known
    assert row.get("duration_s", 0) >= 0


@without_collection
def test_the_recorded_copies_are_read() -> None:
    assert len(COPIES) > 3
