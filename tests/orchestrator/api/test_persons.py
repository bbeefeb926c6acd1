"""Who a principal names, and what that person may do."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from orchestrator.api import app as api
from orchestrator.api.callers import Caller
from orchestrator.api.persons import read
from tests.orchestrator.api.doors import principal, through


async def me(header: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(through("ui", api.build()))
    named = {"x-ms-client-principal": header, **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        return await http.get("/ui/me", headers=named)


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "True")


async def test_a_person_is_told_by_name_with_all_that_the_roles_include() -> None:
    answer = await me(principal("Operator", "approver", "something else"))
    assert answer.json() == {"name": "ana@contoso.com", "roles": ["approver", "operator", "reader"]}


async def test_a_principal_counts_only_where_the_platform_says_that_it_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "False")
    assert (await me(principal("reader"))).status_code == 403


async def test_a_person_without_a_role_may_nothing() -> None:
    answer = await me(principal("visitor"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


def test_roles_may_have_the_name_of_the_claim_that_the_principal_says() -> None:
    told = read(principal(role_typ="groups", claims=[{"typ": "groups", "val": "reader"}, *PERSON]))
    assert told == Caller("person", "ana@contoso.com", frozenset({"reader"}), "1")


def test_a_mail_address_that_anybody_may_enter_comes_after_the_name_that_signs_in() -> None:
    mail = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
    told = read(principal(name_typ=mail, claims=[{"typ": mail, "val": "boss@contoso.com"}, *PERSON]))
    assert told
    assert told.name == "ana@contoso.com"


PERSON = [{"typ": "preferred_username", "val": "ana@contoso.com"}, {"typ": "oid", "val": "1"}]
READER = {"typ": "roles", "val": "reader"}


@pytest.mark.parametrize(
    "claims",
    [
        [READER],
        [READER, {"typ": "oid", "val": "1"}],
        [READER, {"typ": "preferred_username", "val": "ana@contoso.com"}],
        [READER, *PERSON, {"typ": "idtyp", "val": "app"}],
        [],
        None,
        "reader",
        [None, 7, {"typ": ["roles"], "val": {}}],
    ],
    ids=lambda claims: json.dumps(claims)[:40],
)
def test_an_application_and_a_half_named_one_are_nobody(claims: object) -> None:
    assert read(principal(claims=claims)) is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "reader",
        "e30=",
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"[" * 100_000).decode(),
        f"{principal('reader')}, {principal('reader')}",
        f" {principal('reader')}",
        principal("reader", auth_typ="twitter"),
        principal("reader", auth_typ=None),
    ],
    ids=lambda header: str(header)[:20],
)
def test_what_is_no_principal_of_entra_id_is_nobody(header: str) -> None:
    assert read(header) is None


async def test_what_is_wrong_with_a_principal_is_not_told() -> None:
    told = {(await me(header)).text for header in ("", "x", principal("reader", auth_typ="aad2"))}
    assert len(told) == 1


async def test_who_follows_a_link_of_a_card_without_being_signed_in_is_led_there_and_back() -> None:
    transport = httpx.ASGITransport(through("ui", api.build()))
    page = "/ui/approvals/A-202611-3f2a9c01d4e57b6a"
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        browser = await http.get(f"{page}?x=https://evil.example", headers={"accept": "text/html,*/*"})
        program = await http.get(page, headers={"accept": "application/json"})
        sent = await http.post(page, json={}, headers={"accept": "text/html"})
    back = "%2Fui%2Fapprovals%2FA-202611-3f2a9c01d4e57b6a"
    assert browser.status_code == 302
    assert browser.headers["location"] == f"/.auth/login/aad?post_login_redirect_uri={back}"
    assert (program.status_code, sent.status_code) == (401, 401)


async def test_who_is_signed_in_without_a_role_is_not_sent_to_sign_in_for_ever() -> None:
    assert (await me(principal("visitor"), accept="text/html")).status_code == 403
