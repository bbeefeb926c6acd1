"""Message encoding, connections and the pollers' pace, without a network."""

from __future__ import annotations

import azure.functions as func
import pytest

from localcloud.host.functions import Binding, Function
from localcloud.host.invocations import FunctionFailed, Invocations
from localcloud.host.pace import Activity
from localcloud.host.settings import LoadError, Settings
from localcloud.host.storage import Storage, decode, encode, messages_of

CONNECTION = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:1/a;"


@pytest.mark.parametrize("body", ["text", "zoë", b"\x00\xff"])
def test_what_is_encoded_is_decoded(body: str | bytes) -> None:
    assert decode(encode(body, True), True) == (body.encode() if isinstance(body, str) else body)


@pytest.mark.parametrize("content", ["{}", "a", "abc=d", "é"])
def test_what_is_not_base64_is_none(content: str) -> None:
    assert decode(content, True) is None


def test_without_encoding_text_stays_as_it_is() -> None:
    assert encode("{}", False) == "{}"
    assert decode("{}", False) == b"{}"


def test_an_output_may_be_one_message_or_several() -> None:
    assert messages_of("a") == ["a"]
    assert messages_of(["a", b"b"]) == ["a", b"b"]
    assert messages_of(func.QueueMessage(body="c")) == [b"c"]


def test_an_output_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="dict"):
        messages_of({"a": 1})


@pytest.mark.parametrize("name", ["STORAGE", "AzureWebJobsSTORAGE"])
async def test_a_connection_is_found_with_and_without_the_hosts_prefix(name: str) -> None:
    storage = Storage(Settings({name: CONNECTION, "Q": "jobs"}))
    assert (await storage.queue("STORAGE", "my-%Q%")).name == "my-jobs"
    await storage.close()


@pytest.mark.parametrize(
    "values", [{"STORAGE__queueServiceUri": "https://a.queue.core.windows.net"}, {"STORAGE__accountName": "a"}]
)
async def test_a_connection_by_identity_needs_no_secret(values: dict[str, str]) -> None:
    storage = Storage(Settings(values))
    assert (await storage.queue("STORAGE", "jobs")).name == "jobs"
    await storage.close()


async def test_a_connection_that_is_not_set_is_told() -> None:
    with pytest.raises(LoadError, match="STORAGE__queueServiceUri"):
        await Storage(Settings({})).queue("STORAGE", "jobs")


def test_an_idle_poller_backs_off_to_its_longest_rest() -> None:
    pace = Activity().pace(2.0, 0.01)
    waits = [0.01]
    while waits[-1] < 2.0:
        waits.append(pace.after(waits[-1]))
    assert waits == sorted(set(waits))


async def test_while_something_goes_on_a_queue_that_had_work_is_asked_often_and_a_new_one_less() -> None:
    activity = Activity()
    busy, new = (activity.pace(2.0, 0.01) for _ in range(2))
    await busy.rest(found=True)
    activity.begin()
    assert busy.after(2.0) == pytest.approx(0.04)
    assert new.after(2.0) == pytest.approx(0.5)


def test_the_longest_rest_bounds_the_others() -> None:
    assert Activity().pace(0.02, 0.05).after(10) == 0.05


async def test_something_new_ends_a_long_rest() -> None:
    activity = Activity()
    pace = activity.pace(60, 30)
    activity.begin()
    await pace.rest(found=False)  # would take longer than the suite


def make_function(call: object, trigger: str = "m") -> Function:
    assert callable(call)
    return Function("f", call, Binding("queueTrigger", trigger, {}), (), "", False)


async def test_a_function_over_its_time_limit_has_failed() -> None:
    import asyncio

    async def forever(m: object) -> None:
        await asyncio.Event().wait()

    with pytest.raises(FunctionFailed):
        await Invocations(0.01).run(make_function(forever), None)


async def test_a_function_that_lets_a_cancellation_out_has_failed() -> None:
    import asyncio

    async def cancelled(m: object) -> None:
        raise asyncio.CancelledError

    with pytest.raises(FunctionFailed):
        await Invocations(None).run(make_function(cancelled), None)


async def test_a_value_that_nothing_takes_is_a_failure() -> None:
    with pytest.raises(FunctionFailed):
        await Invocations(None).run(make_function(lambda m: "lost"), None)
