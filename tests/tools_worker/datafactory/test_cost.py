from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.tools_worker.datafactory.build import calls, guid, make_activity, make_run
from tools_worker.datafactory.cost import bill_of, tree_bill, usages
from tools_worker.datafactory.memory import MemoryDataFactory

SEEN = Path(__file__).resolve().parents[3] / "../shared/adf/outputs"


def billed(kind: str, meter: str, amount: Any, unit: str = "Hours") -> dict[str, Any]:
    line = {"meterType": meter, "duration": amount, "unit": unit}
    return {"billingReference": {"activityType": kind, "billableDuration": [line]}}


def cents(output: dict[str, Any], kind: str = "Copy") -> str:
    return f"{bill_of([make_activity(1, type=kind, output=output)]).execution_usd:.4f}"


def test_four_units_for_a_minute() -> None:
    assert cents(billed("DataMovement", "AzureIR", 4 / 60, "DIUHours")) == "0.0167"


def test_an_old_reference_is_json_text() -> None:
    text = json.dumps({"activityType": "DataMovement", "billableDuration": [{"Managed": 11.733333333333336}]})
    assert cents({"billingReference": text}) == "2.9333"


def test_core_hours_of_a_data_flow_whose_activity_type_was_not_kept() -> None:
    line = {"meterType": "Data Flow", "duration": 1.2191694651111111, "unit": "coreHour"}
    assert cents({"billingReference": {"billableDuration": [line]}}, "ExecuteDataFlow") == "0.3331"


def test_the_activity_type_decides_and_not_the_unit() -> None:
    (line,) = usages(billed("PipelineActivity", "AzureIR", 1, "DIUHours"))
    assert line.cost_usd == Decimal("0.005")


def test_the_total_of_a_self_hosted_run_is_not_believed() -> None:
    output = billed("PipelineActivity", "SelfhostedIR", 1)
    output["billingReference"]["totalBillableDuration"] = [{"meterType": "AzureIR", "duration": 4, "unit": "Hours"}]
    bill = bill_of([make_activity(1, type="Lookup", output=output)])
    assert (bill.execution_usd, bill.orchestration_usd) == (Decimal("0.002"), Decimal("0.0015"))


def test_an_unknown_meter_is_shown_and_not_priced() -> None:
    bill = bill_of([make_activity(1, output=billed("DataMovement", "ManagedVNetIR", 2))])
    assert bill.unpriced == {"DataMovement ManagedVNetIR (Hours)": Decimal(2)}
    assert bill.execution_usd == 0


def test_failed_attempts_are_billed() -> None:
    output = billed("DataMovement", "AzureIR", 1, "DIUHours")
    assert bill_of([make_activity(n, output=output, attempt=n) for n in (1, 2)]).execution_usd == Decimal("0.50")


@pytest.mark.parametrize("broken", [None, 7, "no json", "[" * 9000, {"billableDuration": [None, 3, {"meterType": 1}]}])
def test_a_broken_reference_costs_nothing(broken: object) -> None:
    assert usages({"billingReference": broken}) == []


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -1, True, "4", None, 1e300])
def test_a_broken_amount_is_left_out(amount: object) -> None:
    assert usages(billed("DataMovement", "AzureIR", amount)) == []


async def test_children_count_and_a_circle_ends() -> None:
    copy = make_activity(3, output=billed("DataMovement", "AzureIR", 1, "DIUHours"))
    activities = {guid(1): [calls(1, 2)], guid(2): [copy, calls(4, 1)]}
    factory = MemoryDataFactory(runs=[make_run(1), make_run(2)], activities=activities)
    found = await tree_bill(factory, make_run(1))
    assert (found.runs, found.total.activity_runs, found.total.execution_usd) == (2, 3, Decimal("0.25"))
    assert found.whole


async def test_a_child_that_is_gone_makes_it_a_lower_bound() -> None:
    factory = MemoryDataFactory(runs=[make_run(1)], activities={guid(1): [calls(1, 2)]})
    assert not (await tree_bill(factory, make_run(1))).whole


@pytest.mark.skipif(not SEEN.is_dir(), reason="the collection of real outputs is not beside this checkout")
@pytest.mark.parametrize(
    ("name", "usd"),
    [
        ("copy_blob_to_blob_current", "0.0167"),
        ("copy_s3_to_adls_legacy_billing_string", "2.9333"),
        ("dataflow_billing", "0.3331"),
        ("copy_failed_nullreference", "0.0167"),
        ("lookup_azureir_unit_diuhours", "0.0001"),
        ("execute_pipeline", "0.0000"),
    ],
)
def test_real_outputs_cost_what_was_worked_out_by_hand(name: str, usd: str) -> None:
    payload = json.loads((SEEN / f"{name}.json").read_text(encoding="utf-8"))["payload"]
    assert cents(payload, "ExecuteDataFlow" if name.startswith("dataflow") else "Copy") == usd
