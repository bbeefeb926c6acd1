"""The platform's sign-in: what a caller says of itself never reaches the app, what the platform says does."""

from __future__ import annotations

import base64
import json

import pytest

from localcloud.host.sign_in import SignIn

FORGED = {"X-MS-CLIENT-PRINCIPAL": "e30=", "x-ms-client-principal-name": "ana", "X-Ms-Token-Aad-Access-Token": "t"}
SENT = {"host": "localhost:7071", "accept": "*/*", "x-ms-client-tracking-id": "a workflow's own"}


@pytest.mark.parametrize("path", ["/api/ask", "/hooks/teams/messages", "/ui/me"])
@pytest.mark.parametrize("enabled", [True, False])
def test_who_a_caller_claims_to_be_is_taken_away(path: str, enabled: bool) -> None:
    got = SignIn(enabled).headers({**SENT, **FORGED}, path)
    assert {name: got[name] for name in SENT} == SENT
    assert not set(FORGED.values()) & set(got.values())


@pytest.mark.parametrize("host", ["localhost:7071", "127.0.0.1", "[::1]:7071"])
def test_the_developer_is_signed_in_with_every_role(host: str) -> None:
    got = SignIn(enabled=True).headers({"Host": host}, "/ui/me")
    principal = json.loads(base64.b64decode(got["x-ms-client-principal"]))
    assert [each["val"] for each in principal["claims"] if each["typ"] == "roles"] == ["reader", "operator", "approver"]
    assert got["x-ms-client-principal-name"] == "developer@localhost"


@pytest.mark.parametrize(
    ("enabled", "host", "path"),
    [
        (False, "localhost", "/ui/me"),
        (True, "evil.example", "/ui/me"),
        (True, "", "/ui/me"),
        (True, "[::1", "/ui/me"),
        (True, "localhost", "/api/ask"),
        (True, "localhost", "/uix"),
    ],
)
def test_nobody_is_signed_in_elsewhere(enabled: bool, host: str, path: str) -> None:
    assert SignIn(enabled).headers({"host": host}, path) == {"host": host}
