"""A chain and its writer: whatever becomes of the answers of storage, each item is in it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.errors import UpstreamUnavailable
from orchestrator.audit.chain import Chain, Taken
from orchestrator.audit.lines import GENESIS, read, write
from orchestrator.audit.record import plain
from orchestrator.stores.audit import Row
from tests.orchestrator.audit.build import CHAIN, TroubledStore, make_entry


@dataclass(eq=False)
class Item:
    what: str
    told: Mapping[str, Any] = field(init=False)
    stored: bool = False

    def __post_init__(self) -> None:
        self.told = plain(make_entry(what=self.what))


async def stored(store: TroubledStore) -> list[str]:
    return [read(line).entry["what"] for line in await store.lines()]


async def test_an_item_tried_again_with_others_behind_it_is_stored_once() -> None:
    """Both batches begin with the same bytes, and only the first of them went in."""
    store, first, second = TroubledStore("lose"), Item("a"), Item("b")
    chain = Chain[Item](store, CHAIN)
    with pytest.raises(UpstreamUnavailable):
        await chain.append([first])
    await chain.append([first, second])
    assert await stored(store) == ["a", "b"]
    assert chain.seq == 2


async def test_of_two_batches_with_unknown_fate_the_one_that_went_in_is_known() -> None:
    store, items = TroubledStore("refuse", "lose", "refuse"), [Item(text) for text in "abc"]
    chain = Chain[Item](store, CHAIN)
    for batch in (items[:1], items[:2], items[1:]):
        with pytest.raises(UpstreamUnavailable):
            await chain.append(batch)
    await chain.append(items)
    assert await stored(store) == ["a", "b", "c"]


async def test_the_same_entry_recorded_again_where_its_answer_was_lost_is_stored_once() -> None:
    store = TroubledStore("lose")
    chain = Chain[Item](store, CHAIN)
    with pytest.raises(UpstreamUnavailable):
        await chain.append([Item("a")])
    again = Item("a")
    await chain.append([again])
    assert again.stored
    assert await stored(store) == ["a"]


async def test_a_row_of_somebody_else_in_our_place_is_not_taken_for_ours() -> None:
    store, item = TroubledStore(), Item("a")
    await store.insert([Row.of(write(CHAIN, 1, GENESIS, plain(make_entry(what="forged"))))])
    with pytest.raises(Taken):
        await Chain[Item](store, CHAIN).append([item])
    assert not item.stored


async def test_a_row_of_somebody_else_behind_ours_is_not_taken_for_ours() -> None:
    store, item = TroubledStore("lose"), Item("b")
    chain = Chain[Item](store, CHAIN)
    with pytest.raises(UpstreamUnavailable):
        await chain.append([Item("a")])
    await store.insert([Row.of(write(CHAIN, 2, GENESIS, plain(make_entry(what="forged"))))])
    with pytest.raises(Taken):
        await chain.append([item])
    assert not item.stored
