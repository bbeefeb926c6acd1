"""What is read of each shape in which alerts arrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.alerts.record import Alert
from orchestrator.alerts.shapes import MAX_ALERTS, read
from tests.orchestrator.alerts import samples
from tests.orchestrator.alerts.samples import (
    BUDGET,
    FACTORY,
    FIRED,
    OTHER_RUN,
    PLAIN,
    RESOLVED,
    RUN,
    SAMPLES,
    SHARED,
    TROUBLE,
    WORKSPACE,
    cloud_event,
    common,
    criterion,
    event,
    health,
    log_v1,
    log_v2,
    metric,
    older,
)

NOW = datetime(2026, 11, 21, 3, 7, 30, tzinfo=UTC)
AT = datetime(2026, 11, 20, 23, 58, 24, 371321, tzinfo=UTC)
NAMES = ["alert_common_metric_adf_fired", "log_alert_v1_official", "service_health_official", "cloudevent_1_0"]


def one(body: Any) -> Alert:
    (alert,) = read(body, NOW)
    return alert


@pytest.mark.parametrize("name", SAMPLES)
def test_every_shape_is_known_by_its_kind(name: str) -> None:
    kinds = {"log v2": "log", "log v1": "log", "cloud event": "event"}
    expected = kinds.get(name, name.removeprefix("older ").replace(" ", "_"))
    assert one(SAMPLES[name]).kind == {"activity": "activity_log"}.get(expected, expected)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the vendors' samples are not beside the checkout")
def test_every_official_sample_is_known() -> None:
    read_all = {name: one(body) for name, body in samples.official()}
    assert set(NAMES) <= set(read_all)
    assert {name for name, alert in read_all.items() if alert.kind == "unknown"} == {"diagnostic_log_envelopes"}
    assert all(alert.instance and alert.title and alert.rule for alert in read_all.values() if alert.kind != "unknown")
    adf = read_all["alert_common_metric_adf_fired"]
    assert (adf.pipeline, adf.severity, adf.at) == ("pl_daily_sales", 2, AT)
    assert adf.instance == read_all["alert_common_metric_adf_resolved"].instance
    assert adf.about == read_all["alert_common_metric_adf_resolved"].about


def test_a_metric_alert_tells_the_pipeline_the_factory_and_the_window() -> None:
    window = {"windowStartTime": "2026-11-20T23:50:00Z", "windowEndTime": "2026-11-20T23:55:00Z"}
    alert = one(common(metric(**window)))
    assert (alert.pipeline, alert.factory, alert.target) == ("LoadSales", FACTORY, FACTORY)
    assert (alert.since, alert.until) == (
        datetime(2026, 11, 20, 23, 50, tzinfo=UTC),
        datetime(2026, 11, 20, 23, 55, tzinfo=UTC),
    )
    assert (alert.at, alert.severity, alert.rule, alert.fired) == (AT, 2, "adf-failed", True)
    assert alert.dimensions == {"Name": "LoadSales", "FailureType": "UserError"}
    assert alert.title == "PipelineFailedRuns of LoadSales is 1"


@pytest.mark.parametrize(
    ("size", "minutes"), [("PT5M", 5), ("PT1H30M", 90), ("P1D", 1440), ("nonsense", 5), (None, 5), ("P9999D", 20160)]
)
def test_a_window_that_is_not_told_ends_when_the_alert_fired_and_allows_for_late_metrics(
    size: str | None, minutes: int
) -> None:
    alert = one(common(metric(windowSize=size)))
    assert (alert.since, alert.until) == (AT - timedelta(minutes=minutes + 10), AT)


def test_a_window_that_ends_before_it_begins_is_not_believed() -> None:
    alert = one(common(metric(windowStartTime="2026-11-21T00:00:00Z", windowEndTime="2026-11-20T00:00:00Z")))
    assert (alert.since, alert.until) == (AT - timedelta(minutes=15), AT)


def test_of_an_activitys_metric_the_name_is_the_activity() -> None:
    told = criterion("ActivityFailedRuns", Name="Copy", ActivityType="Copy", PipelineName="LoadSales")
    alert = one(common(metric(told)))
    assert (alert.pipeline, alert.title) == ("LoadSales", "ActivityFailedRuns of Copy is 1")


def test_of_a_triggers_metric_the_name_is_the_trigger() -> None:
    alert = one(common(metric(criterion("TriggerFailedRuns", Name="nightly"))))
    assert (alert.pipeline, alert.title) == ("", "TriggerFailedRuns of nightly is 1")


def test_all_pipelines_at_once_are_no_pipeline() -> None:
    assert one(common(metric(criterion(Name="*")))).pipeline == ""


def test_an_end_has_the_instance_of_its_beginning_and_a_key_of_its_own() -> None:
    fired = one(common(metric()))
    ended = one(common(metric(), monitorCondition="Resolved", resolvedDateTime=RESOLVED))
    assert (fired.fired, ended.fired) == (True, False)
    assert ended.at == datetime(2026, 11, 21, 0, 13, 16, 224631, tzinfo=UTC)
    assert (ended.instance, ended.about, ended.until) == (fired.instance, fired.about, fired.until)
    assert ended.key != fired.key


def test_a_test_alert_with_the_id_of_an_earlier_one_is_another() -> None:
    assert one(common(metric())).key != one(common(metric(), firedDateTime=RESOLVED)).key


def test_custom_properties_tell_what_the_alert_cannot() -> None:
    body = common(metric(criterion()), alertTargetIDs=[WORKSPACE])
    body["data"]["customProperties"] = {"Pipeline": "LoadSales", "factory": "adf-2", "runId": RUN}
    alert = one(body)
    assert (alert.pipeline, alert.factory, alert.run_ids, alert.target) == ("LoadSales", "adf-2", (RUN,), WORKSPACE)


@pytest.mark.parametrize("name", ["RunId", "runId_g", "run_id", "PipelineRunId", "CorrelationId", "correlationId_g"])
def test_a_log_alert_tells_the_run_in_any_spelling(name: str) -> None:
    alert = one(common(log_v2(**{name: RUN, "pipelineName_s": "LoadSales"}), "Log Alerts V2", "Log"))
    assert (alert.run_ids, alert.pipeline) == ((RUN,), "LoadSales")
    assert name not in alert.dimensions
    assert alert.link == "https://portal.azure.com/#logs"
    assert alert.since == datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


def test_a_log_alert_on_a_workspace_tells_the_factory_in_a_dimension() -> None:
    by_id = log_v2(_ResourceId=FACTORY.upper())
    by_name = log_v2(FactoryName="adf-1")
    assert one(common(by_id, "Log Alerts V2", "Log", alertTargetIDs=[WORKSPACE])).factory == FACTORY.upper()
    assert one(common(by_name, "Log Alerts V2", "Log", alertTargetIDs=[WORKSPACE])).factory == "adf-1"


def test_alerts_of_the_same_rule_about_different_runs_are_about_the_same() -> None:
    first, second = (one(common(log_v2(RunId=run), "Log Alerts V2", "Log")) for run in (RUN, OTHER_RUN))
    assert first.about == second.about


def test_the_rows_of_an_older_log_alert_tell_the_runs() -> None:
    context = log_v1(["RunId", "PipelineName", "X"], [RUN, "LoadSales", 1], [OTHER_RUN, "LoadSales", None])
    alert = one(common(context, "Log Analytics", "Log"))
    assert (alert.run_ids, alert.pipeline) == ((RUN, OTHER_RUN), "LoadSales")
    assert alert.until == datetime(2026, 11, 20, 23, 55, tzinfo=UTC)


def test_rows_about_different_pipelines_are_about_none_in_particular() -> None:
    context = log_v1(["PipelineName"], ["LoadSales"], ["LoadCrm"])
    assert one(common(context, "Log Analytics", "Log")).pipeline == ""


def test_an_alert_of_the_activity_log_is_told_by_its_event() -> None:
    first, second = (
        one(common({**samples.ACTIVITY, "eventDataId": number}, "Activity Log - Administrative", "Activity Log"))
        for number in "12"
    )
    assert first.key != second.key
    assert first.title == "Microsoft.DataFactory/factories/pipelines/delete Succeeded"
    assert "Somebody" not in repr(first.details)
    assert "somebody@example.com" not in repr(first.details)


def test_service_health_is_told_by_its_tracking_id_and_stage() -> None:
    body = common(TROUBLE, "ServiceHealth", "Activity Log", alertTargetIDs=["/subscriptions/s-1"])
    again = common(TROUBLE, "ServiceHealth", "Activity Log", alertTargetIDs=["/subscriptions/s-1"], alertId="x")
    alert = one(body)
    assert alert.instance == one(again).instance
    assert (alert.factory, alert.target, alert.scope) == ("", "/subscriptions/s-1", "/subscriptions/s-1")
    assert alert.details["services"] == [{"service": "Azure Data Factory", "regions": ["West Europe"]}]
    over = health(**{**TROUBLE["properties"], "stage": "Resolved"})
    assert not one(common(over, "ServiceHealth", "Activity Log")).fired


def test_a_resource_that_is_available_again_is_over() -> None:
    for status, fired in (("Unavailable", True), ("Degraded", True), ("Available", False)):
        assert one(common(health(currentHealthStatus=status), "Resource Health", "Activity Log")).fired is fired


def test_a_budget_tells_what_was_spent() -> None:
    for body in (SAMPLES["budget"], SAMPLES["older budget"], older("aip budget notification", **BUDGET)):
        assert one(body).title == "Budget adf: 110 EUR spent, of a threshold of 100"


def test_an_older_metric_alert_tells_the_same() -> None:
    alert = one(SAMPLES["older metric"])
    assert (alert.pipeline, alert.factory, alert.at, alert.severity, alert.fired) == ("LoadSales", FACTORY, AT, 3, True)
    over = {**SAMPLES["older metric"]["data"], "status": "Deactivated"}
    assert not one(older("AzureMonitorMetricAlert", **over)).fired


def test_an_older_log_alert_tells_the_same() -> None:
    alert = one(SAMPLES["older log"])
    assert (alert.rule, alert.run_ids, alert.link) == ("adf-failed", (RUN,), "https://portal.azure.com/#logs")


def test_an_older_alert_of_the_activity_log_tells_health_too() -> None:
    service = older(
        "Microsoft.Insights/activityLogs", context={"activityLog": {**TROUBLE, "eventSource": "ServiceHealth"}}
    )
    resource = older("Microsoft.Insights/activityLogs", context={"activityLog": {"eventSource": "ResourceHealth"}})
    assert (one(service).kind, one(resource).kind) == ("service_health", "resource_health")


@pytest.mark.parametrize("body", [event(), cloud_event()])
def test_an_event_is_told_by_its_source_and_id(body: dict[str, Any]) -> None:
    alert = one(body)
    assert alert.instance == f"{FACTORY} e-1"
    assert (alert.source, alert.rule, alert.factory, alert.pipeline, alert.at) == (
        "event-grid",
        "RunFailed",
        FACTORY,
        "LoadSales",
        AT,
    )
    assert alert.severity is None


def test_an_events_correlation_is_no_run() -> None:
    assert one(event(data={"correlationId": RUN})).run_ids == ()


def test_an_event_that_is_no_trouble_is_of_little_weight() -> None:
    assert one(event(eventType="Microsoft.Storage.BlobCreated")).severity == 4


def test_an_event_about_health_tells_what_it_is_about() -> None:
    kind = "Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged"
    for state, fired in (("Unavailable", True), ("Available", False)):
        told = {"resourceInfo": {"properties": {"targetResourceId": FACTORY, "availabilityState": state}}}
        alert = one(event(eventType=kind, topic="/subscriptions/s-1", data=told))
        assert (alert.factory, alert.target, alert.fired, alert.severity) == (FACTORY, FACTORY, fired, None)


@pytest.mark.parametrize(
    "body",
    [
        PLAIN,
        {"PipelineName": "LoadSales", "RunId": RUN, "DataFactoryName": "adf-1", "Error": "no rows", "Status": "Failed"},
        {
            "pipeline_name": "LoadSales",
            "runId": RUN,
            "factoryName": "adf-1",
            "error_message": "no rows",
            "status": "Failed",
        },
    ],
)
def test_a_plain_alert_may_be_spelled_in_any_way(body: dict[str, Any]) -> None:
    alert = one(body)
    assert (alert.source, alert.pipeline, alert.run_ids, alert.factory) == ("plain", "LoadSales", (RUN,), "adf-1")
    assert (alert.title, alert.details["message"]) == ("LoadSales: Failed", "no rows")


def test_a_plain_alert_tells_its_time_severity_and_link() -> None:
    alert = one({**PLAIN, "at": FIRED, "severity": "Sev1", "link": "https://example.com/x", "activity": "Copy"})
    assert (alert.at, alert.severity, alert.link) == (AT, 1, "https://example.com/x")
    assert alert.title == "Copy of LoadSales: Failed"


def test_a_plain_alert_that_says_succeeded_is_the_end_of_the_one_before() -> None:
    fired, ended = one(PLAIN), one({**PLAIN, "status": "Succeeded"})
    assert (ended.fired, ended.instance, ended.about) == (False, fired.instance, fired.about)


def test_plain_alerts_without_a_run_are_told_by_what_they_say() -> None:
    first, second = (one({"pipeline": "LoadSales", "message": text}) for text in ("no rows", "no disk"))
    assert first.key != second.key


@pytest.mark.parametrize("body", [{"pipeline": "LoadSales"}, {"what": "is this?"}, SAMPLES["older budget"]])
def test_an_alert_without_a_time_repeated_soon_is_the_same_and_later_another(body: Any) -> None:
    (first,), (soon,), (later,) = (read(body, NOW + timedelta(minutes=minutes)) for minutes in (0, 2, 10))
    assert first.key == soon.key
    assert first.key != later.key
    assert NOW - timedelta(minutes=10) < first.at <= NOW


def test_what_nobody_knows_is_kept_with_what_can_be_guessed() -> None:
    alert = one({"subject": "disk full", "factoryName": "adf-1", "time": FIRED})
    assert (alert.kind, alert.title, alert.factory, alert.at) == ("unknown", "disk full", "adf-1", AT)
    assert alert.details["told"] == {"subject": "disk full", "factoryName": "adf-1", "time": FIRED}


def test_an_alert_of_an_unknown_service_is_kept_with_its_essentials() -> None:
    alert = one(common({"a": 1}, "SmartDetector", "Something"))
    assert (alert.kind, alert.factory, alert.rule, alert.title) == (
        "unknown",
        FACTORY,
        "adf-failed",
        "A pipeline failed",
    )


def test_a_list_is_read_one_by_one_and_what_is_in_no_shape_is_kept_together() -> None:
    assert [alert.kind for alert in read([event(), PLAIN, 1, None, {"a": 1}], NOW)] == [
        "event",
        "plain",
        "unknown",
        "unknown",
    ]


def test_a_very_long_list_tells_that_it_is_longer() -> None:
    alerts = read([{"pipeline": str(number)} for number in range(MAX_ALERTS + 5)], NOW)
    assert len(alerts) == MAX_ALERTS + 1
    assert len(alerts[-1].details["told"]) == 5


@pytest.mark.parametrize(
    "link", ["http://example.com", "javascript:alert(1)", "https://x/ y", "https://x/" + "y" * 2000, 'https://x/"', 7]
)
def test_only_a_sane_https_link_is_shown(link: Any) -> None:
    assert one({**PLAIN, "link": link}).link == ""


def test_texts_are_cut_and_the_details_stay_small() -> None:
    alert = one({**PLAIN, "message": "x" * 100_000, "pipeline": "p" * 300, "more": [{"a": "b" * 5000}] * 500})
    assert len(alert.title) <= 200
    assert len(repr(alert.details)) < 9000
    assert alert.details["message"].startswith("xxx")
    assert alert.details["left_out"] > 0
