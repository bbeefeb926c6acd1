"""Each log query is one that Kusto takes, and finds what it asks for among rows as Application Insights keeps them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb_kql
import pytest

from core.telemetry import names
from infra.checks.queries import tokens
from infra.checks.tree import Templates, literal, walk
from infra.workbook import QUERIES, SECTIONS, queries
from localcloud import azurite

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent / "kusto"
PARSER = azurite.HERE / "node_modules" / "@kusto" / "language-service-next"
TABLES: Mapping[str, str] = json.loads((HERE / "tables.json").read_text(encoding="utf-8"))
KNOWN = queries()
TYPES = {
    "datetime": "timestamp",
    "string": "varchar",
    "real": "double",
    "int": "int",
    "bool": "boolean",
    "dynamic": "json",
}
Row = Mapping[str, Any]
Rows = Sequence[tuple[str, Row]]
NOW = datetime.now(UTC).replace(tzinfo=None)


def analyzed(asked: Mapping[str, str]) -> dict[str, Any]:
    """What Microsoft's parser says of each."""
    command = [azurite.find_node(), str(HERE / "analyze.js"), str(PARSER)]
    given = json.dumps({"tables": TABLES, "queries": asked})
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def analysis() -> dict[str, Any]:
    inline = Templates(ROOT / "infra").files["modules/logAlerts.bicep"]
    strings = [literal(node) for node in walk(inline.root) if node.type == "string"]
    (failed_runs,) = [each for each in strings if each.startswith("ADF")]
    slips = {
        "unknown column": "AppMetrics | where Nam == 'x'",
        "unknown table": "AppMetric | take 1",
        "unknown function": "AppMetrics | extend a = tostrin(Name)",
        "no operator": "AppMetrics | wher Name == 'x'",
        "wrong type": "AppMetrics | where Name + 1 > 2 | extend a = bin(Name, 1h)",
        "not closed": "AppMetrics | where Name in ('x'",
    }
    return analyzed({**{name: query.text for name, query in KNOWN.items()}, "failed runs": failed_runs, **slips})


@pytest.mark.parametrize("name", [*KNOWN, "failed runs"])
def test_kusto_takes_it(name: str, analysis: dict[str, Any]) -> None:
    assert analysis[name]["wrong"] == []
    assert analysis[name]["columns"]


@pytest.mark.parametrize(
    "slip", ["unknown column", "unknown table", "unknown function", "no operator", "wrong type", "not closed"]
)
def test_kusto_would_tell_a_slip(slip: str, analysis: dict[str, Any]) -> None:
    assert analysis[slip]["wrong"]


def test_what_is_drawn_over_time_has_a_time(analysis: dict[str, Any]) -> None:
    drawn = [part.query for section in SECTIONS for part in section.parts if part.look in ("timechart", "unstackedbar")]
    assert drawn
    assert [name for name in drawn if "TimeGenerated" not in analysis[name]["columns"]] == []


def test_what_one_query_says_of_another_exists() -> None:
    named = {name for query in KNOWN.values() for name in re.findall(r'"([a-z-]+)"', query.then)}
    assert len(named) > 5
    assert named <= set(KNOWN)


def metric(
    name: str, total: float, count: int = 1, most: float = 0.0, at: datetime = NOW, **about: str
) -> tuple[str, Row]:
    """`about`: the attribute's constant in core/telemetry/names.py, and its value."""
    properties = {str(getattr(names, key)): value for key, value in about.items()}
    row = {"TimeGenerated": at, "Name": name, "Sum": total, "ItemCount": count, "Max": most, "Properties": properties}
    return "AppMetrics", row


def line(message: str, level: int = 2, at: datetime = NOW, role: str = "app") -> tuple[str, Row]:
    return "AppTraces", {"TimeGenerated": at, "Message": message, "SeverityLevel": level, "AppRoleName": role}


def raised(message: str, kind: str = "KeyError") -> tuple[str, Row]:
    row = {"TimeGenerated": NOW, "OuterMessage": message, "ExceptionType": kind, "SeverityLevel": 3}
    return "AppExceptions", {**row, "AppRoleName": "app"}


def ran(function: str, at: datetime = NOW, success: bool = True, milliseconds: float = 10.0) -> tuple[str, Row]:
    row = {"TimeGenerated": at, "Name": function, "Success": success, "DurationMs": milliseconds, "ItemCount": 1}
    return "AppRequests", {**row, "AppRoleName": "app"}


def span(name: str, operation: str, seconds: float = 1.0, **about: str) -> tuple[str, Row]:
    properties = {str(getattr(names, key)): value for key, value in about.items()}
    row = {"TimeGenerated": NOW, "Name": name, "DurationMs": seconds * 1000, "OperationId": operation, "Success": True}
    return "AppDependencies", {**row, "Properties": properties}


def question(outcome: str, count: int, seconds: float = 10.0) -> tuple[str, Row]:
    return metric(names.QUESTION_SECONDS, seconds * count, count, seconds, OUTCOME=outcome)


def clockwork(*, but: Sequence[str] = (), late: Mapping[str, int] | None = None) -> list[tuple[str, Row]]:
    """Every function that has to run ran just now, but for these; some so many minutes ago."""
    listed = re.findall(r'^\s+"(\w+)", \d+', KNOWN["alert-functions-silent"].text, re.MULTILINE)
    minutes = {**dict.fromkeys(listed, 0), **(late or {})}
    return [ran(name, NOW - timedelta(minutes=ago)) for name, ago in minutes.items() if name not in but]


@pytest.fixture
def logs() -> Iterator[Any]:
    connection = duckdb_kql.connect()
    for table, schema in TABLES.items():
        columns = (column.split(": ") for column in schema[1:-1].split(", "))
        told = ", ".join(f'"{name}" {TYPES[kind]}' for name, kind in columns)
        connection.sql(f"create table {table} ({told})")
    yield connection
    connection.close()


def found(logs: Any, name: str, rows: Rows, replaced: tuple[str, str] = ("", "")) -> list[dict[str, Any]]:
    later = datetime.now(UTC).replace(tzinfo=None) - NOW  # rows are as old as they were when they were written here
    for table, given in rows:
        row = {**given, "TimeGenerated": given["TimeGenerated"] + later}
        values = [json.dumps(value) if isinstance(value, dict) else value for value in row.values()]
        columns = ", ".join(f'"{column}"' for column in row)
        logs.execute(f"insert into {table} ({columns}) values ({', '.join('?' * len(values))})", values)
    result = duckdb_kql.query(logs, KNOWN[name].text.replace(*replaced) if replaced[0] else KNOWN[name].text)
    return [dict(zip(result.columns, each, strict=True)) for each in result.fetchall()]


# An alert, what it must see with one of its columns, and what is no reason to wake anybody.
ALERTS: tuple[tuple[str, Rows, str, list[object], Rows], ...] = (
    (
        "alert-questions-failing",
        (question("done", 8), question("failed", 1), question("expired", 1)),
        "What",
        ["2 of 10 questions without an answer"],
        (question("done", 9), question("failed", 1), question("cancelled", 9)),
    ),
    (
        "alert-messages-poisoned",
        (metric(names.POISONED, 2, QUEUE="actions"), metric(names.POISONED, 1, QUEUE="actions")),
        "Messages",
        [3.0],
        (metric(names.QUEUE_AGE, 3, QUEUE="actions"),),
    ),
    (
        "alert-queues-slow",
        (metric(names.QUEUE_AGE, 100, 10, 95.0, QUEUE="run-requests"), metric(names.QUEUE_AGE, 9, 1, 9.0, QUEUE="x")),
        "Queue",
        ["run-requests"],
        (metric(names.QUEUE_AGE, 900, 100, 60.0, QUEUE="run-requests"),),
    ),
    (
        "alert-runs-lost",
        (line('runs={"resent": 2, "settled": 9} poison_messages=0'), line('runs={"expired": 1} poison_messages=4')),
        "Lost",
        [3],
        (line('runs={"settled": 9, "resent": 2} poison_messages=0'),),
    ),
    (
        "alert-upstreams-left-alone",
        (line("outcome=left_alone failures=5 upstream=Azure Data Factory"),),
        "Upstream",
        ["Azure Data Factory"],
        (line("outcome=answers_again upstream=Azure Data Factory"),),
    ),
    ("alert-functions-silent", clockwork(but=("watch_all",)), "Function", ["watch_all"], clockwork()),
    (
        "alert-functions-silent",
        clockwork(late={"runs_sweep": 11, "audit_anchor": 29, "digest_send": 40}),
        "Function",
        ["runs_sweep"],
        (
            *clockwork(but=("watch_all", "tools_sweep")),
            ("AppRequests", {**ran("timer")[1], "Properties": {"faas.name": "func-app/tools_sweep"}}),
            line("Executed 'Functions.watch_all' (Succeeded, Id=1, Duration=9ms)", 1),
        ),
    ),
    (
        "alert-audit-broken",
        (line("chain=20261121-1 seq=3 outcome=taken", 3),),
        "Chain",
        ["20261121-1"],
        (line("chain=20261121-1 seq=3 outcome=not_anchored error=x"), line("run=r outcome=taken_over")),
    ),
    (
        "alert-audit-waiting",
        [line("entries=4 outcome=not_recorded error=Table storage does not answer.")] * 3,
        "Outcome",
        ["not_recorded"],
        [line("entries=4 outcome=not_recorded error=x"), line("chain=c seq=1 outcome=not_anchored error=x")],
    ),
    (
        "alert-audit-waiting",
        [raised("entries=90 outcome=failed"), raised("entries=2 outcome=failed"), raised("entries=1 outcome=failed")],
        "Outcome",
        ["failed"],
        [line("run=r outcome=failed seconds=2")] * 3,
    ),
    (
        "alert-intake-failing",
        [line("path=/hooks/alerts/azure-monitor code=upstream_unavailable detail=Table storage does not answer.")] * 3,
        "What",
        ["upstream_unavailable"],
        [line("path=/api/ask code=upstream_unavailable detail=x")] * 9,
    ),
    (
        "alert-intake-failing",
        [line("app=a outcome=refused reason=role")] * 3,
        "What",
        ["refused: role"],
        [line("app=a outcome=refused reason=role")] * 2,
    ),
    (
        "alert-actions-unknown",
        (metric(names.ACTIONS, 1, ACTION_KIND="rerun", ACTION_STATE="unknown"),),
        "Kind",
        ["rerun"],
        (metric(names.ACTIONS, 1, ACTION_KIND="rerun", ACTION_STATE="done"),),
    ),
    (
        "alert-bugs",
        (
            raised("path=/api/ask outcome=bug error=KeyError"),
            raised("check=tables outcome=broken"),
            raised("Exception while executing function: Functions.watch_scope"),
        ),
        "What",
        ["/api/ask", "tables", "watch_scope"],
        (line("run=r outcome=failed seconds=2", 1), raised("chain=c seq=1 outcome=not_anchored")),
    ),
)


@pytest.mark.parametrize(
    ("name", "trouble", "column", "told", "calm"), ALERTS, ids=[f"{each[0]} {each[3]}" for each in ALERTS]
)
def test_an_alert_sees_trouble_and_nothing_else(
    name: str, trouble: Rows, column: str, told: list[object], calm: Rows, logs: Any
) -> None:
    assert found(logs, name, calm) == []
    for table in TABLES:
        logs.execute(f"delete from {table}")
    assert sorted(row[column] for row in found(logs, name, trouble)) == told


def test_every_alert_is_tried() -> None:
    assert {name for name, *_ in ALERTS} == {name for name, query in KNOWN.items() if query.is_alert}


# A query, rows, and what stands in the first line of its answer.
SHOWN: tuple[tuple[str, Rows, Row], ...] = (
    (
        "health-functions",
        (
            (
                "AppRequests",
                {**ran("run-requests process", milliseconds=30)[1], "Properties": {"faas.name": "runs_serve"}},
            ),
            ran("runs_serve", success=False),
            ran("api"),
        ),
        {"Function": "runs_serve", "App": "app", "Runs": 2, "Failed": 1, "AverageMs": 20, "LongestMs": 30},
    ),
    (
        "health-log",
        (line("run=1 outcome=not_told attempt=1"), line("run=2 outcome=not_told attempt=1"), line("calm", 1)),
        {"Outcome": "not_told", "Lines": 2},
    ),
    (
        "logs-volume",
        (("Usage", {"TimeGenerated": NOW, "DataType": "AppTraces", "Quantity": 12.34, "IsBillable": True}),),
        {"Table": "AppTraces", "Megabytes": 12.3},
    ),
    ("questions-ends", (question("done", 3), question("done", 4)), {"Outcome": "done", "Questions": 7}),
    (
        "questions-duration",
        (question("done", 4, 10.0), question("failed", 1, 60.0), metric(names.DEADLINE_USED, 0.9, 5, 0.55)),
        {"Seconds": 20.0, "LongestSeconds": 60.0, "DeadlineUsedPercent": 55},
    ),
    (
        "questions-slowest",
        (span(names.WORKFLOW, "t-1", 3, RUN="run-1"), span(names.WORKFLOW, "t-2", 9, RUN="run-2", OUTCOME="done")),
        {"Run": "run-2", "Outcome": "done", "Seconds": 9.0, "OperationId": "t-2"},
    ),
    (
        "agents-duration",
        (
            metric(names.AGENT_SECONDS, 30, 3, 20, AGENT_NAME="ops_supervisor"),
            metric(names.AGENT_SECONDS, 2, 1, 2, AGENT_NAME="ops_supervisor", ERROR="timeout"),
        ),
        {"Agent": "ops_supervisor", "Calls": 4, "Failed": 1, "AverageSeconds": 8.0, "LongestSeconds": 20.0},
    ),
    (
        "tools-calls",
        (
            metric(names.TOOL_SECONDS, 3, 3, 2, TOOL_NAME="adf_failures", OUTCOME="ok"),
            metric(names.TOOL_SECONDS, 1, 1, 1, TOOL_NAME="adf_failures", OUTCOME="timeout"),
        ),
        {"Tool": "adf_failures", "Calls": 4, "Failed": 1, "AverageSeconds": 1.0, "LongestSeconds": 2.0},
    ),
    (
        "tools-failures",
        (
            metric(names.TOOL_SECONDS, 3, 3, 2, TOOL_NAME="adf_failures", OUTCOME="ok"),
            metric(names.TOOL_SECONDS, 1, 1, 1, TOOL_NAME="adf_failures", OUTCOME="timeout"),
        ),
        {"Outcome": "timeout", "Tool": "adf_failures", "Calls": 1},
    ),
    ("queues-age", (metric(names.QUEUE_AGE, 9, 3, 7.5, QUEUE="actions"),), {"Queue": "actions", "LongestSeconds": 7.5}),
    ("queues-poisoned", (metric(names.POISONED, 3, QUEUE="actions"),), {"Queue": "actions", "Messages": 3}),
    ("incidents-course", (metric(names.INCIDENTS, 2, INCIDENT_EVENT="opened"),), {"Event": "opened", "Incidents": 2}),
    (
        "incidents-causes",
        (
            metric(names.INCIDENTS, 2, INCIDENT_EVENT="opened", INCIDENT_KIND="failure", CATEGORY="network"),
            metric(names.INCIDENTS, 9, INCIDENT_EVENT="resolved", INCIDENT_KIND="failure", CATEGORY="network"),
        ),
        {"Kind": "failure", "Category": "network", "Incidents": 2},
    ),
    ("alerts-taken", (metric(names.ALERTS_TAKEN, 5, OUTCOME="known"),), {"Outcome": "known", "Alerts": 5}),
    (
        "actions-ends",
        (metric(names.ACTIONS, 2, ACTION_KIND="rerun", ACTION_STATE="done"),),
        {"Kind": "rerun", "State": "done", "Actions": 2},
    ),
    (
        "actions-limits",
        (metric(names.LIMIT_USED, 1.5, 3, 0.75, LIMIT="per_hour", EFFECT="allow"),),
        {"UsedPercent": 75, "Verdicts": 3, "Limit": "per_hour", "Effect": "allow"},
    ),
    (
        "data-factory-requests",
        (
            metric(names.DATA_FACTORY_SECONDS, 5, 9, 1, DATA_FACTORY_OPERATION="queryPipelineRuns", STATUS="200"),
            metric(names.DATA_FACTORY_SECONDS, 5, 1, 5, DATA_FACTORY_OPERATION="queryPipelineRuns", STATUS="429"),
        ),
        {"Requests": 10, "Throttled": 1, "Failed": 0, "ThrottledPercent": 10.0, "LongestSeconds": 5.0},
    ),
    (
        "data-factory-reused",
        (metric(names.DATA_FACTORY_SECONDS, 5, 9), metric(names.DATA_FACTORY_REUSED, 4)),
        {"Asked": 9, "Reused": 4},
    ),
    (
        "tokens-cost",
        (
            metric(names.TOKENS, 2_000_000, 100, TOKEN_TYPE="input", REQUEST_MODEL="gpt"),
            metric(names.TOKENS, 100_000, 100, TOKEN_TYPE="output", REQUEST_MODEL="gpt"),
        ),
        {"Model": "gpt", "Questions": 100, "InputTokens": 2e6, "OutputTokens": 1e5, "Cost": 4.9},
    ),
)


@pytest.mark.parametrize(("name", "rows", "first"), SHOWN, ids=[name for name, *_ in SHOWN])
def test_a_part_of_the_workbook_shows_what_it_asks_for(name: str, rows: Rows, first: Row, logs: Any) -> None:
    shown = found(logs, name, rows)
    assert {column: shown[0][column] for column in first} == first


def test_every_part_of_the_workbook_is_tried() -> None:
    assert {name for name, *_ in SHOWN} == {part.query for section in SECTIONS for part in section.parts}


def test_the_trace_of_a_run_is_everything_of_its_operation(logs: Any) -> None:
    asked = {**ran("process run-requests")[1], "OperationId": "t-1", "TimeGenerated": NOW - timedelta(seconds=1)}
    other = span(names.executing("adf_failures"), "t-2")
    rows = (("AppRequests", asked), span(names.WORKFLOW, "t-1", RUN="run-1"), span("send callbacks", "t-1"), other)
    shown = found(logs, "trace-of-a-run", rows, ("run-…", "run-1"))
    assert shown[0]["Name"] == "process run-requests"
    assert {row["Name"] for row in shown} == {"process run-requests", names.WORKFLOW, "send callbacks"}


@pytest.mark.parametrize("text", ["a | where (b", "a | where b)", 'a == "b', "a ] b", "a § b"])
def test_what_is_no_query_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"closes nothing|not closed|cannot be read"):
        tokens(text)


def test_queries_are_where_they_are_looked_for() -> None:
    assert len(list(QUERIES.glob("*.kql"))) == len(KNOWN) > 25
