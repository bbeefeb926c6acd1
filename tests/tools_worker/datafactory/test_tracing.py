"""Requests to Data Factory are told by their operation: how often, how long, with what status, and what was spared."""

from __future__ import annotations

import re

import pytest

from core.clients import LoopbackCredential
from core.errors import UpstreamThrottled, UpstreamUnavailable
from core.telemetry import names
from core.telemetry.spans import span
from tests.recorded import Recorded, recording
from tests.tools_worker.datafactory.scripted_arm import HANG_UP, answer, scripted
from tests.tools_worker.datafactory.test_sdk import Pauses
from tools_worker.datafactory.arm import Arm
from tools_worker.datafactory.tracing import operation_of
from tools_worker.datafactory.traffic import Freshness

FACTORY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DataFactory/factories/adf-prod"
OK = answer({"value": []})
QUERY = f"{FACTORY}/queryPipelineRuns"


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        (FACTORY, "factories/{name}"),
        ("/subscriptions/s/providers/Microsoft.DataFactory/factories", "factories"),
        (QUERY, "queryPipelineRuns"),
        (f"{FACTORY}/pipelines", "pipelines"),
        (f"https://management.azure.com{FACTORY}/pipelines?api-version=1&$skiptoken=Payroll", "pipelines"),
        (f"{FACTORY}/pipelines/Payroll", "pipelines/{name}"),
        (f"{FACTORY.replace('/g/', '/factories/')}/pipelines/Payroll", "pipelines/{name}"),
        (f"{FACTORY.replace('adf-prod', 'factories').lower()}/pipelines/Payroll", "pipelines/{name}"),
        (f"{FACTORY}/pipelineruns/0f9c4a35/queryActivityruns", "queryActivityruns"),
        (f"{FACTORY}/integrationRuntimes/shir/getStatus", "getStatus"),
        (f"{FACTORY}/pipelines/Payroll/createRun", "createRun"),
        (f"{FACTORY}/triggers/t/triggerRuns/r/rerun", "rerun"),
        ("/subscriptions/s/providers/Microsoft.Insights/eventtypes/management/values?x=1", "activity_log"),
        (f"{FACTORY}/pipelines/Payroll/0f9c4a35", "other"),
        ("/somewhere/else", "other"),
        ("", "other"),
    ],
)
def test_an_operation_is_named_without_what_it_is_about(path: str, operation: str) -> None:
    assert operation_of(path) == operation


async def asked(*answers: bytes, times: int = 1, seconds: float = 0) -> Recorded:
    """The same question so many times."""
    with recording() as recorded:
        async with scripted(*answers) as script:
            arm = Arm(
                LoopbackCredential(), "s", endpoint=script.url, sleep=Pauses(), freshness=Freshness(seconds, seconds)
            )
            try:
                with span("work"):
                    for _ in range(times):
                        await arm.post(QUERY, {"filters": ["Payroll"]})
            except (UpstreamThrottled, UpstreamUnavailable):
                pass
            finally:
                await arm.close()
        return recorded


async def test_each_request_is_a_span_below_whoever_asked() -> None:
    recorded = await asked(OK)
    assert recorded.tree("work") == ("work", [("POST queryPipelineRuns", [])])
    request = recorded.span("POST queryPipelineRuns")
    assert request.kind.name == "CLIENT"
    told = dict(request.attributes or {})
    told["url.full"] = re.sub(r":[0-9]+/", "/", str(told["url.full"]))
    assert told == {
        "http.request.method": "POST",
        "adf_ops.data_factory.operation": "queryPipelineRuns",
        "adf_ops.data_factory.reused": False,
        "adf_ops.data_factory.throttled": False,
        "http.response.status_code": 200,
        "url.full": "http://127.0.0.1/queryPipelineRuns",
    }


async def test_each_attempt_is_told_and_throttling_by_name() -> None:
    recorded = await asked(answer({}, 429), OK)
    told = [dict(span.attributes or {}) for span in recorded.spans if span.name.startswith("POST")]
    assert [each["http.response.status_code"] for each in told] == [429, 200]
    assert [each["adf_ops.data_factory.throttled"] for each in told] == [True, False]
    assert told[0]["error.type"] == "429"
    counted = {each["http.response.status_code"] for each, _ in recorded.metric(names.DATA_FACTORY_SECONDS)}
    assert counted == {429, 200}


async def test_a_connection_that_broke_is_a_failed_request_without_a_status() -> None:
    recorded = await asked(HANG_UP)
    spans = [span for span in recorded.spans if span.name.startswith("POST")]
    assert len(spans) == 4
    assert not any(span.status.is_ok for span in spans)
    ((about, _),) = recorded.metric(names.DATA_FACTORY_SECONDS)
    assert about == {"adf_ops.data_factory.operation": "queryPipelineRuns", "http.response.status_code": 0}


async def test_an_answer_that_is_used_again_is_told_and_counted_apart() -> None:
    recorded = await asked(OK, times=3, seconds=60)
    reused = [dict(span.attributes or {})["adf_ops.data_factory.reused"] for span in recorded.spans[:3]]
    assert reused == [False, True, True]
    assert recorded.tree("work") == ("work", [("POST queryPipelineRuns", [])] * 3)
    assert recorded.metric(names.DATA_FACTORY_REUSED) == [({"adf_ops.data_factory.operation": "queryPipelineRuns"}, 2)]
    assert len(recorded.metric(names.DATA_FACTORY_SECONDS)) == 1


async def test_nothing_of_what_was_asked_is_in_it() -> None:
    recorded = await asked(OK)
    told = str([(span.name, dict(span.attributes or {})) for span in recorded.spans])
    assert "Payroll" not in told
    assert "adf-prod" not in told
