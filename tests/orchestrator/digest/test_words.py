"""What is told of the facts: what failed and why, how it stands, what is slower, at risk, and what it cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from orchestrator.digest.composition import MAX_LINES, composed
from orchestrator.digest.facts import Cost, Counted, FactoryFacts, Facts, Slower, Slowness
from orchestrator.digest.spending import spent
from orchestrator.policy.reading import parse
from tests.orchestrator.digest.paper import DAY, LOGIN, Paper
from tests.tools_worker.datafactory.build import NOW, make_activity
from tools_worker.datafactory.memory import MemoryDataFactory

POLICY = parse("""
escalation:
  - severity: [0, 1]
    steps: [{after_minutes: 15, to: on call}, {after_minutes: 60, to: head of data}]
""")


def facts(*factories: FactoryFacts, **more: object) -> Facts:
    return replace(Facts("daily", NOW - DAY, NOW, NOW, factories), **more)  # type: ignore[arg-type]


def costing(usd: str, billed: int = 10, runs: int = 10, **more: object) -> Cost:
    plain = Cost(Decimal(usd), billed, runs, whole=True, priced=True)
    return replace(plain, **more)  # type: ignore[arg-type]


def factory(cost: Cost | None = None, before: Cost | None = None, name: str = "adf-test") -> FactoryFacts:
    return FactoryFacts(name, Counted(runs=10), cost=cost, cost_before=before)


async def test_a_failure_of_which_no_incident_tells_is_told_with_its_cause_and_run() -> None:
    paper = Paper()
    run = paper.run(status="Failed")
    (line,) = (await paper.digest()).failures
    assert line.startswith("LoadSales: 1 run failed at CopyLoadSales (authentication): ")
    assert line.endswith(f"No good run since. (run {run.run_id})")


async def test_that_it_ran_well_since_is_told() -> None:
    paper = Paper()
    paper.run(status="Failed", hours_ago=6)
    paper.run(hours_ago=5)
    assert "Ran well since." in (await paper.digest()).failures[0]


async def test_a_good_run_before_it_says_nothing() -> None:
    paper = Paper()
    paper.run(hours_ago=7)
    paper.run(status="Failed", hours_ago=6)
    assert "No good run since." in (await paper.digest()).failures[0]


async def test_runs_of_an_incident_are_told_once_with_it_and_not_looked_into_again() -> None:
    paper = Paper()
    runs = [paper.run(status="Failed", hours_ago=hours) for hours in (3, 4, 5)]
    incident = await paper.incident(*runs[:2])  # it names its newest runs only
    (line,) = (await paper.digest()).failures
    assert line == (
        "LoadSales failed at CopyLoadSales of LoadSales (authentication), 3 runs: The login was refused. "
        f"Still open; nobody has taken it up. ({incident.id})"
    )


async def test_the_same_error_in_another_pipeline_is_not_of_the_incident() -> None:
    paper = Paper()
    incident = await paper.incident(paper.run(status="Failed"))
    paper.run("LoadReturns", "Failed")
    lines = (await paper.digest()).failures
    assert sorted(incident.id in line for line in lines) == [False, True]
    assert next(line for line in lines if incident.id not in line).startswith("LoadReturns: 1 run failed")


async def test_how_an_incident_ended_is_told() -> None:
    paper = Paper()
    over = NOW - timedelta(hours=1)
    run = paper.run(status="Failed")
    await paper.incident(run, status="resolved", resolved_at=over, resolution="LoadSales ran well again.")
    digest = await paper.digest()
    assert "Over since 2026-03-10 07:00 UTC: LoadSales ran well again." in digest.failures[0]
    assert (digest.incidents_opened, digest.incidents_open, digest.at_risk) == (1, 0, ())


async def test_an_incident_that_was_over_before_is_no_news() -> None:
    paper = Paper()
    await paper.incident(hours_ago=60, status="resolved", resolved_at=NOW - timedelta(hours=30))
    digest = await paper.digest()
    assert (digest.failures, digest.incidents_opened) == ((), 0)


async def test_an_old_incident_that_nobody_took_up_is_a_risk_and_no_failure_of_the_day() -> None:
    paper = Paper()
    incident = await paper.incident(hours_ago=50, severity=1)
    digest = await paper.digest()
    assert (digest.failures, digest.incidents_opened, digest.incidents_open) == ((), 0, 1)
    assert digest.at_risk == (
        f"{incident.title}: severity 1, open for 50 h 0 min, and nobody has taken it up. ({incident.id})",
    )


async def test_what_somebody_has_in_hand_is_no_risk() -> None:
    paper = Paper()
    await paper.incident(acknowledged_at=NOW, acknowledged_by="Ana")
    digest = await paper.digest()
    assert digest.at_risk == ()
    assert "Still open; Ana has taken it up." in digest.failures[0]


async def test_to_whom_it_went_is_told() -> None:
    paper = Paper(policy=POLICY)
    await paper.incident(severity=1, escalated=2)
    assert "It went to on call and head of data." in (await paper.digest()).at_risk[0]


async def test_an_escalation_that_is_overdue_is_told() -> None:
    paper = Paper(policy=POLICY)
    await paper.incident(severity=1, escalated=1, hours_ago=2)
    assert "head of data should have been told 60 minutes after its beginning" in (await paper.digest()).at_risk[0]


async def test_one_that_has_just_come_due_is_not() -> None:
    paper = Paper(policy=POLICY)
    await paper.incident(severity=1, escalated=1, hours_ago=61 / 60)
    assert "It went to on call." in (await paper.digest()).at_risk[0]


async def test_the_worst_comes_first() -> None:
    paper = Paper()
    for severity in (3, 0, 2):
        await paper.incident(severity=severity, title=f"S{severity}")
    digest = await paper.digest()
    assert [line[:2] for line in digest.at_risk] == ["S0", "S2", "S3"]
    assert [line[:2] for line in digest.failures] == ["S0", "S2", "S3"]


async def test_of_what_is_as_bad_comes_first_what_still_stands() -> None:
    paper = Paper()
    for hours in (3, 4, 5):
        paper.run("Mended", "Failed", hours_ago=hours)
    paper.run("Mended", hours_ago=2)
    paper.run("Broken", "Failed")
    await paper.incident(title="Over", status="resolved", resolved_at=NOW, resolution="It ran.")
    assert [line.split(":")[0] for line in (await paper.digest()).failures] == ["Broken", "Mended", "Over"]


async def test_what_matters_to_people_comes_first_also_where_no_incident_tells_of_it() -> None:
    paper = Paper(policy=parse("importance: [{pipelines: [Ledger], severity: 1, why: finance}]"))
    for hours in (3, 4):
        paper.run("Anything", "Failed", hours_ago=hours)
    paper.run("Ledger", "Failed", hours_ago=4)
    paper.run("Ledger", hours_ago=3)
    assert [line.split(":")[0] for line in (await paper.digest()).failures] == ["Ledger", "Anything"]


async def test_of_several_pipelines_those_that_are_still_broken_are_named() -> None:
    paper = Paper()
    for pipeline in ("LoadSales", "LoadReturns"):
        run = paper.run(pipeline, "Failed")
        paper.factory.activities[run.run_id] = [make_activity(1, name="CopyAll", error=LOGIN)]
    paper.run("LoadSales", hours_ago=5)
    (line,) = (await paper.digest()).failures
    assert "LoadReturns did not run well since." in line


async def test_a_long_list_is_cut_and_counted() -> None:
    paper = Paper()
    for number in range(MAX_LINES + 4):
        paper.run(f"Broken{number}", "Failed")
    failures = (await paper.digest()).failures
    assert (len(failures), failures[-1]) == (MAX_LINES + 1, "and 4 more")


async def test_of_several_factories_each_line_names_its_own() -> None:
    paper = Paper([MemoryDataFactory("adf-test"), MemoryDataFactory("adf-other")])
    paper.run(status="Failed")
    await paper.incident(title="A trigger did not fire", kind="missed")
    digest = await paper.digest()
    assert digest.failures[0].startswith("LoadSales in adf-test: 1 run failed")
    assert digest.failures[1].startswith("A trigger did not fire in adf-test: ")


def test_what_is_slower_stands_by_the_time_that_is_lost() -> None:
    slow = [
        Slower("adf-test", "Short", runs=1, usual=60, took=120),
        Slower("adf-test", "Often", runs=9, usual=60, took=120, since=NOW - 3 * DAY),
        Slower("adf-test", "Grows", runs=2, usual=3600, took=3800, since=NOW - 9 * DAY, steady=True),
    ]
    told = composed(facts(replace(factory(), slowness=Slowness(tuple(slow), uncompared=2))))
    assert told.slower == (
        "Often took 2 min 0 s in the median of 9 runs, 1 min 0 s before 2026-03-07 08:00 UTC.",
        "Grows took 1 h 3 min in the median of 2 runs, and takes longer day by day: 1 h 0 min at first, "
        "2026-03-01 08:00 UTC.",
        "Short took 2 min 0 s, usually 1 min 0 s.",
    )
    assert told.gaps == ("How long 2 less busy pipelines took was not compared.",)


def test_a_week_is_not_compared_with_less_than_all_of_the_one_before() -> None:
    known = replace(factory(), before=Counted(runs=20, failed=2))
    assert composed(facts(known, known)).runs_before == 40
    assert composed(facts(known, factory())).runs_before is None
    assert composed(facts(replace(known, before=Counted(runs=20, complete=False)))).runs_before is None
    assert composed(facts(replace(known, counted=Counted(runs=20, complete=False)))).runs_before is None


def test_a_cost_that_was_read_whole_is_told_as_it_is() -> None:
    assert spent([factory(costing("2.5")), factory(costing("1.25"))]) == "$3.75 at list price"


def test_one_that_is_reckoned_says_from_what() -> None:
    assert spent([factory(costing("38.2", 40, 412))]) == "about $38.20 at list price, reckoned from 40 of 412 runs"


def test_one_that_misses_something_is_a_lower_bound() -> None:
    assert spent([factory(costing("2", whole=False))]).startswith("at least $2.00")
    assert spent([factory(costing("2")), factory(None, name="adf-unread")]).startswith("at least $2.00")


def test_a_week_costs_more_or_less_than_the_week_before() -> None:
    assert spent([factory(costing("12"), costing("10"))]).endswith(", 20% more than the week before")
    assert spent([factory(costing("9"), costing("10"))]).endswith(", 10% less than the week before")
    assert spent([factory(costing("10"), costing("10"))]).endswith(", as much as the week before")
    assert spent([factory(costing("9"), costing("10", whole=False))]) == "$9.00 at list price"


def test_without_billing_figures_no_cost_is_made_up() -> None:
    assert spent([factory(costing("0.01", priced=False))]) == "not known: no run told billing figures"


def test_where_nothing_ran_nothing_is_said_of_cost() -> None:
    assert spent([FactoryFacts("adf-test", Counted())]) == ""
