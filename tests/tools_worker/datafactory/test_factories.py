from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.errors import InvalidArguments, NotConfigured, NotFound, UpstreamUnavailable
from tests.tools_worker.datafactory.build import guid, make_run
from tools_worker.datafactory.client import DataFactory
from tools_worker.datafactory.factories import REMEMBER_SECONDS, Factories
from tools_worker.datafactory.memory import MemoryDataFactory
from tools_worker.datafactory.models import FactoryId, PipelineRun

PROD = MemoryDataFactory("adf-prod", runs=[make_run(1)])
DEV = MemoryDataFactory("adf-dev", runs=[make_run(2)])


class Broken(MemoryDataFactory):
    async def pipeline_run(self, run_id: str) -> PipelineRun:
        raise UpstreamUnavailable("Away.")


async def test_the_only_factory_needs_no_name() -> None:
    assert await Factories([PROD]).get() is PROD


async def test_asks_which_of_several() -> None:
    with pytest.raises(InvalidArguments, match="'adf-dev', 'adf-prod'"):
        await Factories([PROD, DEV]).get()


async def test_takes_the_default_of_several() -> None:
    assert await Factories([PROD, DEV], default="adf-dev").get() is DEV


async def test_finds_a_factory_in_any_case() -> None:
    assert await Factories([PROD, DEV]).get("ADF-Prod") is PROD


async def test_offers_the_closest_names() -> None:
    with pytest.raises(NotFound, match="Closest: 'adf-prod'"):
        await Factories([PROD, DEV]).get("adf-prd")


async def test_says_that_none_is_configured() -> None:
    with pytest.raises(NotConfigured, match="No data factory"):
        await Factories([]).all()


async def test_finds_a_run_in_the_named_factory() -> None:
    located = await Factories([PROD, DEV]).find_run(guid(1), "adf-prod")
    assert located.factory is PROD
    assert located.asked == ""


async def test_tells_where_a_run_of_another_factory_lives() -> None:
    located = await Factories([PROD, DEV]).find_run(guid(2), "adf-prod")
    assert located.factory is DEV
    assert located.asked == "adf-prod"


async def test_says_that_a_run_is_nowhere() -> None:
    with pytest.raises(NotFound, match="'adf-dev' or 'adf-prod'"):
        await Factories([PROD, DEV]).find_run(guid(9))


async def test_does_not_claim_that_a_run_is_nowhere_when_a_factory_is_away() -> None:
    with pytest.raises(UpstreamUnavailable):
        await Factories([PROD, Broken("adf-dev")]).find_run(guid(9))


async def test_finds_a_run_although_another_factory_is_away() -> None:
    assert (await Factories([PROD, Broken("adf-dev")]).find_run(guid(1))).factory is PROD


class Discovery:
    def __init__(self) -> None:
        self.asked = 0
        self.fails = False
        self.seconds = 0.0

    async def __call__(self) -> Sequence[DataFactory]:
        self.asked += 1
        if self.fails:
            raise UpstreamUnavailable("Away.")
        return [PROD, DEV]


@pytest.fixture
def discovery() -> Discovery:
    return Discovery()


@pytest.fixture
def discovered(discovery: Discovery) -> Factories:
    return Factories(discovery, clock=lambda: discovery.seconds)


async def test_discovers_once_for_some_minutes(discovered: Factories, discovery: Discovery) -> None:
    await discovered.names()
    discovery.seconds = REMEMBER_SECONDS - 1
    assert await discovered.names() == ["adf-dev", "adf-prod"]
    assert discovery.asked == 1


async def test_discovers_again_later(discovered: Factories, discovery: Discovery) -> None:
    await discovered.names()
    discovery.seconds = REMEMBER_SECONDS + 1
    await discovered.names()
    assert discovery.asked == 2


async def test_keeps_an_old_list_while_discovery_fails(discovered: Factories, discovery: Discovery) -> None:
    await discovered.names()
    discovery.seconds, discovery.fails = REMEMBER_SECONDS + 1, True
    assert await discovered.names() == ["adf-dev", "adf-prod"]


async def test_tells_when_the_first_discovery_fails(discovered: Factories, discovery: Discovery) -> None:
    discovery.fails = True
    with pytest.raises(UpstreamUnavailable):
        await discovered.names()


def test_reads_a_resource_id_in_any_case() -> None:
    raw = "/subscriptions/s/resourcegroups/g/providers/microsoft.datafactory/factories/f"
    assert FactoryId.parse(raw) == FactoryId("s", "g", "f")


@pytest.mark.parametrize("raw", ["", "adf-prod", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/f"])
def test_says_what_a_resource_id_looks_like(raw: str) -> None:
    with pytest.raises(ValueError, match="/subscriptions/<id>"):
        FactoryId.parse(raw)
