"""Who takes part, as the platform's sign-in would tell of them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    roles: tuple[str, ...]

    @property
    def headers(self) -> dict[str, str]:
        told = [("preferred_username", f"{self.name}@contoso.com"), ("oid", f"id-{self.name}")]
        claims = [{"typ": kind, "val": value} for kind, value in (*told, *(("roles", role) for role in self.roles))]
        principal = {"auth_typ": "aad", "name_typ": "preferred_username", "role_typ": "roles", "claims": claims}
        return {"x-ms-client-principal": base64.b64encode(json.dumps(principal).encode()).decode()}

    @property
    def address(self) -> str:
        """As records name them."""
        return f"{self.name}@contoso.com"


ANA = Person("ana", ("operator", "approver"))  # proposes everything here, and may therefore approve nothing of it
APPROVERS = tuple(Person(name, ("approver",)) for name in ("bea", "cleo", "dora", "egon", "finn"))
LAST = Person("gil", ("approver",))  # says yes to what nobody has decided in the end
READER = Person("hugo", ("reader",))
OPERATOR = Person("ines", ("operator",))
PEOPLE = {each.name: each for each in (ANA, *APPROVERS, LAST, READER, OPERATOR)}
