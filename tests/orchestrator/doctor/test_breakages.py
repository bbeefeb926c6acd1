"""Each thing broken in its turn, in the emulator, a stand-in or the app's folder: the doctor finds it, and says how to
mend it. Nothing is found where nothing is broken."""

from __future__ import annotations

import pytest

from orchestrator.doctor.rota import CHECKS
from tests.orchestrator.doctor.breakages import BREAKAGES, Breakage
from tests.orchestrator.doctor.world import World

IN_SETTINGS = {"settings"}  # what it looks at are the settings
BY_TIME = {"retirements"}  # nothing breaks but the calendar
IN_ONE_LOOP = pytest.mark.asyncio(loop_scope="session")
pytestmark = pytest.mark.xdist_group("doctor")  # one world for all of them


@IN_ONE_LOOP
async def test_nothing_is_found_where_nothing_is_broken(world: World) -> None:
    findings = await world.examined()
    assert {each.check for each in findings} == {check.name for check in CHECKS}
    assert [each for each in findings if each.result not in ("ok", "skipped")] == []
    assert {each.check for each in findings if each.result == "skipped"} == {"operator_credential"}


@IN_ONE_LOOP
@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda each: each.name)
async def test_what_is_broken_is_found(breakage: Breakage, world: World) -> None:
    findings = await breakage.found(world)
    assert breakage.is_told(findings), findings


@IN_ONE_LOOP
@pytest.mark.parametrize("breakage", BREAKAGES[::6], ids=lambda each: each.name)
async def test_what_is_whole_again_is_well_again(breakage: Breakage, world: World) -> None:
    await breakage.found(world)
    found = await world.examined(breakage.check)
    assert {each.result for each in found} <= {"ok", "skipped"}, found


def test_every_check_is_tried_by_breaking_something() -> None:
    assert {check.name for check in CHECKS} - {each.check for each in BREAKAGES} == IN_SETTINGS | BY_TIME
