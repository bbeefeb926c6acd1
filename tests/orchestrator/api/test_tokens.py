"""Tokens of secure webhooks: signed by the tenant, for this app, from a known service with its role; nothing less."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.requests import Request

from core.errors import AppError, NotPermitted, UpstreamUnavailable
from orchestrator.api.callers import FUNCTION, Caller, Unauthenticated
from orchestrator.api.tokens import SigningKeys, WebhookToken

PRIVATE, STRANGER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
AZNS, EVENT_GRID = "461e8683-5575-4561-ac7f-899cc907d62a", "4962773b-9cdb-44cf-a8bf-237846a00ab7"
TENANT, AUDIENCE = "0b5e-tenant", "api://ops-agent"
KEYS_URL = f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"
PEM = PRIVATE.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def published(kid: str = "key-1", **changes: Any) -> dict[str, Any]:
    return {
        **jwt.algorithms.RSAAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True),
        "kid": kid,
        "use": "sig",
        **changes,
    }


class Tenant:
    """Where signing keys are fetched."""

    def __init__(self, *keys: Any) -> None:
        self.keys, self.fetched, self.now, self.down = list(keys) or [published()], list[str](), 1000.0, False
        self.signing = SigningKeys(self.fetch, lambda: self.now)

    async def fetch(self, url: str) -> Mapping[str, Any]:
        self.fetched.append(url)
        await asyncio.sleep(0)
        if self.down:
            raise UpstreamUnavailable("No keys.")
        return {"keys": self.keys}


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TOKEN_TENANT_ID": TENANT, "TOKEN_AUDIENCES": f"{AUDIENCE},other"}.items():
        monkeypatch.setenv(name, value)
    for name in ("TOKEN_APPS", "TOKEN_ROLES", "TOKEN_AUTHORITY"):
        monkeypatch.delenv(name, raising=False)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    told = {
        "aud": AUDIENCE,
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "azp": AZNS,
        "roles": ["ActionGroupsSecureWebhook"],
        **changes,
    }
    return {name: value for name, value in told.items() if value is not None}


def signed(key: Any = PRIVATE, kid: str | None = "key-1", algorithm: str = "RS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers={"kid": kid} if kid else None)


async def let_in(token: str, tenant: Tenant | None = None, scheme: str = "Bearer") -> Caller:
    header = f"{scheme} {token}".encode()
    scope = {"type": "http", "method": "POST", "headers": [(b"authorization", header)], FUNCTION: "hooks"}
    made = (tenant or Tenant()).signing
    return await WebhookToken(lambda: made)(Request(scope))


async def test_the_service_of_action_groups_comes_in() -> None:
    assert await let_in(signed()) == Caller("token", AZNS)


async def test_so_does_event_grid_with_its_own_role() -> None:
    token = signed(azp=None, appid=EVENT_GRID, roles=["AzureEventGridSecureWebhookSubscriber"], aud="other")
    assert (await let_in(token, scheme="bearer")).name == EVENT_GRID


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "api://another"},
        {"aud": ["api://another"]},
        {"aud": None},
        {"iss": "https://login.microsoftonline.com/another/v2.0"},
        {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0/"},
        {"iss": f"https://sts.windows.net/{TENANT}/"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        pytest.param({"exp": int(time.time()) - 301}, id="ended"),
        pytest.param({"nbf": int(time.time()) + 86_400}, id="not begun"),
        {"nbf": None},
        {"exp": "tomorrow"},
    ],
    ids=json.dumps,
)
async def test_a_token_of_another_place_or_time_is_worth_nothing(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="not valid here"):
        await let_in(signed(**changes))


async def test_clocks_may_differ_by_minutes() -> None:
    now = int(time.time())
    assert await let_in(signed(exp=now - 240, nbf=now - 3600))
    assert await let_in(signed(nbf=now + 240))


@pytest.mark.parametrize(
    "changes",
    [
        {"azp": "99999999-0000-0000-0000-000000000000"},
        {"azp": None},
        {"azp": [AZNS]},
        {"azp": "another", "appid": AZNS},
        {"roles": None},
        {"roles": []},
        {"roles": "ActionGroupsSecureWebhook"},
        {"roles": ["Reader"]},
        {"roles": [["ActionGroupsSecureWebhook"], None]},
    ],
    ids=json.dumps,
)
async def test_another_service_or_one_without_the_role_may_not(changes: dict[str, Any]) -> None:
    with pytest.raises(NotPermitted, match="may not send alerts"):
        await let_in(signed(**changes))


def by_hand(header: dict[str, Any], sign_with: bytes = b"") -> str:
    """A token as no library makes one."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims())]
    told = b".".join(parts)
    signature = hmac.digest(sign_with, told, hashlib.sha256) if sign_with else b""
    return (told + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    "token",
    [
        by_hand({"alg": "none", "kid": "key-1"}),
        by_hand({"alg": "None", "kid": "key-1"}),
        by_hand({"alg": "HS256", "kid": "key-1"}, PEM),
        by_hand({"alg": "RS256", "kid": "key-1"}, PEM),
        by_hand({"alg": ["RS256"], "kid": "key-1"}),
        by_hand({"kid": "key-1"}),
        by_hand({"alg": "RS256", "kid": {"key-1": 1}}),
        signed(algorithm="RS512"),
        signed(algorithm="PS256"),
        signed(STRANGER),
        signed(kid=None),
        signed(kid="key-2"),
        signed()[:-4] + "AAAA",
        signed().replace(".", "..", 1),
        "a.b.c",
        "é" * 20,
        "." * 16_000,
    ],
)
async def test_a_token_that_the_tenant_did_not_sign_is_worth_nothing(token: str) -> None:
    with pytest.raises(Unauthenticated):
        await let_in(token)


async def test_a_key_that_a_token_brings_along_is_not_used() -> None:
    header = {"kid": "key-1", "jwk": jwt.algorithms.RSAAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True)}
    tenant = Tenant()
    token = jwt.encode(claims(), STRANGER, algorithm="RS256", headers={**header, "jku": "https://evil.example/keys"})
    with pytest.raises(Unauthenticated):
        await let_in(token, tenant)
    assert tenant.fetched == [KEYS_URL]


@pytest.mark.parametrize("header", ["", "Basic x", "Bearer", "Bearer ", f"Bearer {'x' * 17_000}"])
async def test_no_token_is_none(header: str) -> None:
    scheme, _, token = header.partition(" ")
    with pytest.raises(Unauthenticated, match="token is needed"):
        await let_in(token, scheme=scheme)


async def test_what_is_wrong_is_not_told_apart() -> None:
    texts = set()
    for token in (signed(aud="x"), signed(exp=1), signed(STRANGER), signed(kid="key-9"), by_hand({"alg": "none"})):
        with pytest.raises(AppError) as refused:
            await let_in(token)
        texts.add(str(refused.value))
    assert len(texts) == 1


async def test_keys_are_fetched_once_however_many_come_at_once() -> None:
    tenant = Tenant()
    await asyncio.gather(*(let_in(signed(), tenant) for _ in range(20)))
    assert tenant.fetched == [KEYS_URL]


async def test_keys_nobody_knows_are_asked_for_once_a_minute() -> None:
    tenant = Tenant()
    await let_in(signed(), tenant)
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await let_in(signed(kid=f"made-up-{number}"), tenant)
    assert len(tenant.fetched) == 1
    tenant.now += 61
    tenant.keys.append(published("key-2"))
    assert await let_in(signed(kid="key-2"), tenant)
    assert len(tenant.fetched) == 2


async def test_known_keys_serve_while_the_tenant_does_not_answer_and_a_day_at_most() -> None:
    tenant = Tenant()
    await let_in(signed(), tenant)
    tenant.down = True
    tenant.now += 3600
    with pytest.raises(UpstreamUnavailable):
        await let_in(signed(kid="key-2"), tenant)
    assert await let_in(signed(), tenant)
    tenant.now += 86_400
    with pytest.raises(UpstreamUnavailable):
        await let_in(signed(), tenant)


async def test_keys_that_could_not_be_had_are_asked_for_again_soon() -> None:
    tenant = Tenant()
    tenant.down = True
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            await let_in(signed(), tenant)
    assert len(tenant.fetched) == 1
    tenant.down = False
    tenant.now += 6
    assert await let_in(signed(), tenant)


@pytest.mark.parametrize(
    "keys",
    [
        [published(kty="EC")],
        [published(use="enc")],
        [published(kid="")],
        [published(n="!")],
        [None, "key", {"kty": "RSA", "kid": "key-1"}],
    ],
)
async def test_what_is_no_key_for_signatures_is_left_out(keys: list[Any]) -> None:
    with pytest.raises(UpstreamUnavailable):
        await let_in(signed(), Tenant(*keys))


@pytest.mark.parametrize("missing", ["TOKEN_TENANT_ID", "TOKEN_AUDIENCES"])
async def test_without_its_settings_the_door_says_what_to_set(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(missing, "")
    with pytest.raises(NotPermitted, match=missing):
        await let_in(signed())
