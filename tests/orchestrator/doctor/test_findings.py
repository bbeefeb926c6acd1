"""What the doctor says: of which identity, within which time, and never a secret."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from localcloud import azurite
from orchestrator.doctor import examination, report
from orchestrator.doctor.__main__ import settings_of
from orchestrator.doctor.checks import times
from orchestrator.doctor.examination import examine, of_environment
from orchestrator.doctor.findings import Check, Finding, Seen
from orchestrator.doctor.patient import Patient
from orchestrator.doctor.rota import CHECKS
from orchestrator.doctor.storage_parts import CONTAINERS, QUEUES, TABLES
from tests.orchestrator.doctor.breakages import BREAKAGES, IDENTITY, OPERATES_ELSEWHERE
from tests.orchestrator.doctor.world import ADDRESS, CLAIMS, LOG_RULE, OBJECT_ID, OPERATOR, ROOT, RULE, World

IN_ONE_LOOP = pytest.mark.asyncio(loop_scope="session")
pytestmark = pytest.mark.xdist_group("doctor")  # one world for all of them


@IN_ONE_LOOP
async def test_a_token_is_told_by_whose_it_is(world: World) -> None:
    findings = await world.examined("credentials", env=IDENTITY)
    assert [each.result for each in findings] == ["ok"] * 3
    assert all(OBJECT_ID in each.found for each in findings)


@IN_ONE_LOOP
async def test_where_nobody_can_sign_in_nothing_else_is_tried(world: World) -> None:
    """Each client would try again for itself, and nothing of it would be news."""
    world.identity.status = 400
    try:
        findings = await world.examined(env=IDENTITY)
    finally:
        await world.whole()
    told = {each.check: each for each in findings}
    assert (told["credentials"].result, told["queues_there"].result) == ("failed", "skipped")
    assert {each.check for each in findings if each.result == "failed"} == {"credentials"}
    assert all("see 'credentials'" in told[name].found for name in ("tables", "foundry_agents", "adf_tags"))


@IN_ONE_LOOP
async def test_no_secret_is_told_whatever_is_broken(world: World) -> None:
    world.proxy.faults.clear()
    secrets = {
        "LINK_SIGNING_KEY": "link-key-" + "l" * 32,
        "CALLBACK_SIGNING_KEY": "callback-key-" + "c" * 32,
        "TEAMS_SECURITY_TOKEN": "c2VjdXJpdHktdG9rZW4tb2YtdGVhbXM=",
        "TEAMS_WEBHOOK_URL": "http://127.0.0.1:9/workflows/w/run?sig=signature-of-the-flow",
    }
    await world.stop("foundry")
    world.refuse("/")
    try:
        told = json.dumps([asdict(each) for each in await world.examined(env=secrets)])
    finally:
        await world.whole()
    assert "failed" in told
    for secret in (*secrets.values(), azurite.KEY, "signature-of-the-flow", CLAIMS, world.env["STORAGE"]):
        assert secret not in told


@IN_ONE_LOOP
async def test_looking_leaves_nothing_behind(world: World) -> None:
    before = await stored(world)
    await world.examined()
    assert await stored(world) == before


async def stored(world: World) -> dict[str, int]:
    """Messages, hidden ones too, rows and blobs, where there are any."""
    found = {}
    for queue in QUEUES:
        properties = await world.queues.get_queue_client(queue.name).get_queue_properties()
        found[queue.name] = int(properties.approximate_message_count or 0)
    for name in TABLES:
        found[name] = len([row async for row in world.tables.get_table_client(name).list_entities()])
    for name in CONTAINERS:
        found[name] = len([blob async for blob in world.blobs.get_container_client(name).list_blob_names()])
    return {name: count for name, count in found.items() if count}


@IN_ONE_LOOP
async def test_nothing_is_changed_in_data_factory_or_the_project(world: World) -> None:
    await world.examined()
    asked = (await world.adf.get("/_stats")).json()["requests"]
    assert not {name for name in asked if name.endswith(("_create_run", "_cancel", "_start", "_stop", "_rerun"))}
    agents = (await world.foundry.get("/_stats")).json()
    assert {name for name in agents["requests"] if not name.startswith("GET ")} == set()


async def never(patient: Patient) -> Sequence[Seen]:
    await asyncio.Event().wait()
    return []


async def breaks(patient: Patient) -> Sequence[Seen]:
    raise RuntimeError("AccountKey=secret")


async def fine(patient: Patient) -> Sequence[Seen]:
    return [Seen("ok", "It is well.")]


async def looked(*checks: Check) -> list[Finding]:
    """At an app that has no settings; where nobody can sign in either."""
    async with of_environment({"ADF_ENDPOINT": "http://127.0.0.1:9"}) as patient:
        return await examine(patient, checks or CHECKS)


async def test_what_does_not_answer_ends_in_time_and_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "CHECK_SECONDS", 0.05)
    found = await looked(Check("slow", "w", never), Check("quick", "w", fine))
    assert [(each.check, each.result) for each in found] == [("slow", "failed"), ("quick", "ok")]


async def test_what_breaks_is_told_by_its_kind_alone() -> None:
    [found] = await looked(Check("bad", "It matters.", breaks))
    assert (found.result, found.why) == ("failed", "It matters.")
    assert "RuntimeError" in found.found
    assert "secret" not in found.found


async def test_a_check_that_slips_still_tells_no_secret() -> None:
    env = {"STORAGE": f"AccountName=a;AccountKey={azurite.KEY};", "LINK_SIGNING_KEY": "k" * 10 + "ey" * 20}

    async def slips(patient: Patient) -> Sequence[Seen]:
        return [Seen("failed", f"{azurite.KEY} and {env['LINK_SIGNING_KEY']}", env["STORAGE"])]

    async with of_environment(env) as patient:
        [found] = await examine(patient, [Check("slips", "w", slips)])
    assert found.found == "[masked] and [masked]"
    assert azurite.KEY not in found.mend


async def test_without_its_settings_a_part_is_not_looked_at_and_that_is_said() -> None:
    found = await looked()
    by_check = {each.check: each for each in found}
    assert {each.result for each in found if each.check == "settings"} == {"failed"}
    assert by_check["queues_there"].result == "skipped"
    assert "see 'settings'" in by_check["queues_there"].found
    assert {"FOUNDRY_MODEL", "STORAGE", "ADF_FACTORIES"} <= {
        each.found.partition(":")[0] for each in found if each.check == "settings"
    }


@pytest.mark.parametrize(
    ("today", "result"), [(date(2026, 11, 21), "ok"), (date(2027, 1, 15), "warning"), (date(2027, 4, 1), "failed")]
)
def test_the_end_of_classic_agents_is_told_before_it_comes(today: date, result: str) -> None:
    seen = times._ends(today, "The classic agent service", times.CLASSIC_AGENTS_END, "Take a newer version.")
    assert (seen.result, "31 March 2027" in seen.found) == (result, True)


def test_pins_of_other_pythons_are_left_out() -> None:
    pins = times._pins(
        "a==1 ; python_full_version < '3.0'\nb==2 ; python_full_version >= '3.0'\nc==3 ; implementation_name != 'x'\n#d"
    )
    assert pins == {"b": "2", "c": "3"}


def test_what_has_to_be_mended_is_told_first() -> None:
    findings = [
        Finding("a", "ok", "Well.", "", ""),
        Finding("b", "warning", "Hm.", "Because.", "do this"),
        Finding("c", "failed", "No.", "Because.", "do that"),
    ]
    lines = list(report.lines(findings))
    assert [line.split()[1] for line in lines if not line.startswith(" ")][:3] == ["c:", "b:", "a:"]
    assert lines[-1] == "3 checks, 3 findings: 1 ok, 1 warning, 1 failed."
    assert "         Mend: do that" in lines


def test_the_environment_wins_over_local_settings(tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps({"Values": {"FOUNDRY_MODEL": "file", "ADF_ENDPOINT": "https://x"}}))
    assert settings_of(tmp_path, {"FOUNDRY_MODEL": "env"}) == {"FOUNDRY_MODEL": "env", "ADF_ENDPOINT": "https://x"}


def test_local_settings_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text(json.dumps({"IsEncrypted": True, "Values": {"A": "CfDJ8"}}))
    with pytest.raises(SystemExit, match="decrypt"):
        settings_of(tmp_path, {})


def test_without_local_settings_what_azd_deployed_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".azure" / "prod").mkdir(parents=True)
    (tmp_path / ".azure" / "config.json").write_text(json.dumps({"version": 1, "defaultEnvironment": "prod"}))
    (tmp_path / ".azure" / "prod" / ".env").write_text('FOUNDRY_MODEL="gpt-5"\nADF_FACTORIES="/a,/b"\n')
    assert settings_of(tmp_path, {"A": "b"}) == {"FOUNDRY_MODEL": "gpt-5", "ADF_FACTORIES": "/a,/b", "A": "b"}


def test_where_there_is_nothing_else_the_environment_is_all(tmp_path: Path) -> None:
    assert settings_of(tmp_path, {"A": "b"}) == {"A": "b"}


@IN_ONE_LOOP
async def test_an_app_that_does_not_act_needs_no_operator(world: World) -> None:
    """As the templates lay it out: another app carries out what is approved."""
    elsewhere = {"AzureWebJobs.actions_execute.Disabled": "true"}
    await world.steer(
        world.adf, "/_surroundings", {"without": ["Microsoft.DataFactory/factories/triggers/stop/action"]}
    )
    try:
        found = await world.examined("operator_rights", "operator_credential", env=elsewhere | OPERATOR)
    finally:
        await world.whole()
    assert {each.check: each.result for each in found} == {
        "operator_rights": "skipped",
        "operator_credential": "skipped",
    }


@IN_ONE_LOOP
async def test_roles_of_an_operator_that_acts_elsewhere_are_looked_up(world: World) -> None:
    [found] = await world.examined("operator_rights", env=OPERATES_ELSEWHERE)
    assert (found.result, found.found) == ("ok", "What is approved can be carried out in 2 factories.")


@IN_ONE_LOOP
async def test_outputs_of_the_templates_stand_for_what_they_name(world: World) -> None:
    world.refuse("DELETE")
    try:
        deployed = {"PUBLIC_URL": "", "SERVICE_APP_URI": f"https://{ADDRESS}", "APP_IDENTITY_PRINCIPAL_ID": OBJECT_ID}
        found = {each.check: each for each in await world.examined("queues_taken", "alert_wiring", env=deployed)}
    finally:
        await world.whole()
    assert f"--assignee-object-id {OBJECT_ID} " in found["queues_taken"].mend
    assert found["alert_wiring"].result == "ok"


@IN_ONE_LOOP
@pytest.mark.parametrize("gone", [RULE, LOG_RULE])
async def test_one_of_a_metric_and_a_log_alert_is_enough(gone: str, world: World) -> None:
    await world.delete(gone)
    try:
        found = [(each.result, each.found) for each in await world.examined("alert_wiring")]
    finally:
        await world.whole()
    left = "0 metric alerts and 1 log alerts" if gone == RULE else "1 metric alerts and 0 log alerts"
    assert found[0] == ("ok", f"{left} reach the app and watch 2 factories.")


PROBE = """
import json, function_app
bound = {b.get_dict_repr()["queueName"] for f in function_app.app.get_functions() for b in f.get_bindings()
         if b.type in ("queueTrigger", "queue")}
print(json.dumps(sorted(bound)))
"""


def test_every_queue_that_a_function_is_bound_to_is_looked_at() -> None:
    told = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {queue.name for queue in QUEUES} == set(json.loads(told))


def test_every_table_and_container_of_the_code_is_looked_at() -> None:
    """As often as one is named in the code."""
    named = set()
    for path in [*(ROOT / "orchestrator").rglob("*.py"), *(ROOT / "tools_worker").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        if "orchestrator/doctor" not in path.as_posix():
            named |= {part.split(")")[0] for part in text.split("get_table_client(")[1:]}
    assert len(named) == len(TABLES), named


def test_the_command_tells_what_is_missing_and_fails(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "STORAGE": "nonsense"}
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator.doctor", "--json"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    findings = json.loads(done.stdout)
    assert any(each["found"].startswith("STORAGE:") for each in findings)


def test_no_two_breakages_have_one_name() -> None:
    assert len({each.name for each in BREAKAGES}) == len(BREAKAGES)
