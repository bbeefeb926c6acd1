"""Where a callback may go: to hosts on a list, over https, and to no address inside anybody's network.

A name is resolved here and the connection made to the very addresses that were looked at, so that a name cannot mean
something else a moment later.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from core.errors import InvalidArguments, NotConfigured, UpstreamRefused, UpstreamUnavailable
from core.settings import Settings, is_loopback_http
from core.settings.surroundings import WEBSITE_HOSTNAME, WEBSITE_INSTANCE_ID

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver
    from yarl import URL

MAX_URL = 2048
_URL = re.compile(r"[!#-;=?-\[\]_a-z~]+")  # printable ASCII without what parsers disagree about: \ ^ ` { | } < > "
_ODD = tuple(  # beside what Python knows to be private: addresses that lead inside though they look public
    ip_network(each)
    for each in (
        "168.63.129.16/32",  # Azure's own, reachable from every virtual machine
        "192.88.99.0/24",  # 6to4 relays
        "64:ff9b::/96",  # these three hold an IPv4 address
        "2002::/16",
        "2001::/32",
    )
)
Resolve = Callable[[str], Awaitable[Sequence[str]]]


def is_here(env: Mapping[str, str]) -> bool:
    """Whether the app runs on somebody's own machine: the platform names the instance and the host."""
    named = WEBSITE_HOSTNAME.of(env)
    return not WEBSITE_INSTANCE_ID.of(env) and (not named or is_loopback_http(f"http://{named}"))


def checked(url: str, settings: Settings, env: Mapping[str, str]) -> str:
    """`url`, where a callback may go there. Raises InvalidArguments, or NotConfigured without a key to sign with."""
    if not settings.callback_signing_key:
        raise NotConfigured("Callbacks are switched off.", hint="Set CALLBACK_SIGNING_KEY, or poll Location.")
    if reason := refusal(url, settings.callback_hosts, here=is_here(env)):
        hosts = ", ".join(settings.callback_hosts)
        raise InvalidArguments(f"callback_url {reason}.", hint=f"Hosts allowed here (CALLBACK_HOSTS): {hosts}.")
    return url


def refusal(url: str, hosts: Sequence[str], *, here: bool = False) -> str:
    """Why no callback goes to this address; "" where one may."""
    parsed = parse(url)
    if parsed is None:
        return "is no address of the web"
    host = (parsed.host or "").lower().rstrip(".")
    if parsed.user is not None or parsed.password is not None:
        return "must not hold a name or a password"
    if not any(host.endswith(each) if each.startswith(".") else host == each for each in map(str.lower, hosts)):
        return "names a host that is not allowed"
    if here and is_loopback_http(f"http://{parsed.authority}"):
        return ""
    if parsed.scheme != "https" or parsed.port != 443:
        return "must begin with https:// and name no port"
    return "" if not _is_address(host) or is_public(host) else "leads to a private address"


def parse(url: str) -> URL | None:
    """As the client will read it that connects."""
    from yarl import URL

    if len(url) > MAX_URL or not _URL.fullmatch(url):
        return None
    try:
        parsed = URL(url, encoded=True)
        return parsed if parsed.host and parsed.scheme in ("http", "https") and parsed.port else None
    except ValueError:
        return None


def is_public(address: str) -> bool:
    """Whether this is an address that anybody on the internet could have given us."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    odd = any(parsed in network for network in _ODD if network.version == parsed.version)
    return parsed.is_global and not parsed.is_multicast and not odd


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def system_resolve(host: str) -> Sequence[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as exc:
        raise UpstreamUnavailable(f"The host {host!r} of a callback is not known.", hint="Try again later.") from exc
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolver(resolve: Resolve = system_resolve, *, here: bool = False) -> AbstractResolver:
    """For aiohttp: only addresses that may be called, or an error that says so."""
    from aiohttp.abc import AbstractResolver, ResolveResult

    class Checked(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_UNSPEC) -> list[ResolveResult]:
            found = await resolve(host)
            own = here and host == "localhost" and all(ip_address(each).is_loopback for each in found)
            # One private address among public ones is enough: whoever gave it wanted something.
            if not found or not (own or all(is_public(each) for each in found)):
                raise UpstreamRefused(f"The host {host!r} of a callback leads to a private address.")
            return [_result(host, port, each) for each in found]

        async def close(self) -> None: ...

    def _result(host: str, port: int, address: str) -> ResolveResult:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)

    return Checked()
