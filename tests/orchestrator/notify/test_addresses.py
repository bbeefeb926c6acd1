"""Where a callback may go, and where it may not whatever it calls itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.errors import InvalidArguments, NotConfigured, UpstreamRefused
from core.settings import Settings
from orchestrator.notify.addresses import checked, is_here, is_public, refusal, resolver

HOSTS = (".logic.azure.com", ".environment.api.powerplatform.com", "hooks.example")
FLOW = "https://prod-12.westeurope.logic.azure.com/workflows/1/runs/2/actions/x?sp=%2Frun&sig=a%2Bb-_"


@pytest.mark.parametrize(
    "url", [FLOW, "https://hooks.example/x", "HTTPS://HOOKS.example:443/", "https://hooks.example."]
)
def test_a_host_on_the_list_may_be_called(url: str) -> None:
    assert refusal(url, HOSTS) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "//hooks.example/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://hooks.example/",
        "https://hooks.example:8443/",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://me@hooks.example/",
        "https://:secret@hooks.example/",
        "https://hooks.example@evil.example/",
        "https://evil.example\\@hooks.example/",
        "https://evil.example#@hooks.example/",
        "https://evil.example?hooks.example",
        "https://evil.example/.logic.azure.com",
        "https://logic.azure.com/",
        "https://evillogic.azure.com.evil.example/",
        "https://evil-hooks.example/",
        "https://sub.hooks.example/",
        "https://hooks.example /",
        " https://hooks.example/",
        "https://hooks.example/\n",
        "https://hooks.example/\r\nX-Injected: 1",
        "https://hооks.example/",  # with Cyrillic letters
        "https://[::1/",
        "https://169.254.169.254/metadata/instance",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "http://127.0.0.1:7071/",
        "http://localhost/",
        f"https://hooks.example/{'x' * 2048}",
    ],
)
def test_nothing_else_may(url: str) -> None:
    assert refusal(url, HOSTS)


@pytest.mark.parametrize("host", ["169.254.169.254", "10.1.2.3", "[::1]", "[fd00::1]", "168.63.129.16", "127.0.0.1"])
def test_a_private_address_is_refused_even_where_somebody_put_it_on_the_list(host: str) -> None:
    assert refusal(f"https://{host}/", (host.strip("[]"),)) == "leads to a private address"


def test_this_machine_may_be_called_by_an_app_that_runs_on_it() -> None:
    hosts = ("127.0.0.1", "localhost")
    assert refusal("http://127.0.0.1:9000/done", hosts, here=True) == ""
    assert refusal("http://localhost:9000/done", hosts, here=True) == ""
    assert refusal("http://127.0.0.1:9000/done", hosts) != ""
    assert refusal("http://127.0.0.1:9000/done", HOSTS, here=True) != ""


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "168.63.129.16", "198.18.0.1", "192.0.2.1", "::", "::1", "fe80::1%eth0"),
        *("fc00::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"),
        *("2001:0:a00:1::", "2001:db8::1", "somewhere", ""),
    ],
)
def test_addresses_inside_are_told_from_those_outside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["20.50.1.1", "8.8.8.8", "2603:1020:201::1", "::ffff:8.8.8.8"])
def test_addresses_outside_are_public(address: str) -> None:
    assert is_public(address)


async def resolved(found: Sequence[str], host: str = "hooks.example", *, here: bool = False) -> list[str]:
    async def names(asked: str) -> Sequence[str]:
        return found

    return [str(each["host"]) for each in await resolver(names, here=here).resolve(host, 443)]


async def test_the_connection_is_made_to_the_addresses_that_were_looked_at() -> None:
    assert await resolved(["20.50.1.1", "2603:1020:201::1"]) == ["20.50.1.1", "2603:1020:201::1"]


@pytest.mark.parametrize("found", [["10.0.0.1"], ["20.50.1.1", "10.0.0.1"], ["20.50.1.1", "::1"], ["127.0.0.1"], []])
async def test_a_name_that_leads_inside_is_refused(found: list[str]) -> None:
    with pytest.raises(UpstreamRefused, match="private address"):
        await resolved(found)
    with pytest.raises(UpstreamRefused, match="private address"):
        await resolved(found, here=True)


async def test_localhost_is_this_machine_where_the_app_runs_on_it() -> None:
    assert await resolved(["127.0.0.1", "::1"], "localhost", here=True) == ["127.0.0.1", "::1"]
    with pytest.raises(UpstreamRefused):
        await resolved(["10.0.0.1"], "localhost", here=True)


@pytest.mark.parametrize(
    ("env", "here"),
    [
        ({}, True),
        ({"WEBSITE_HOSTNAME": "localhost:7071"}, True),
        ({"WEBSITE_HOSTNAME": "ops.azurewebsites.net"}, False),
        ({"WEBSITE_INSTANCE_ID": "1"}, False),
        ({"WEBSITE_HOSTNAME": "localhost:7071", "WEBSITE_INSTANCE_ID": "1"}, False),
    ],
)
def test_an_app_in_azure_does_not_run_here(env: dict[str, str], here: bool) -> None:
    assert is_here(env) is here


def test_a_refusal_names_the_hosts_that_may_be_called_and_no_secret() -> None:
    with pytest.raises(InvalidArguments) as refused:
        checked("https://evil.example/?sig=secret", Settings(callback_signing_key="k" * 32), {})
    assert ".logic.azure.com" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_without_a_key_to_sign_with_no_callback_is_accepted() -> None:
    with pytest.raises(NotConfigured, match="CALLBACK_SIGNING_KEY"):
        checked(FLOW, Settings(), {})
