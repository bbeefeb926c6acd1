"""Roles: who is granted what on what, by GUIDs that stand in one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from infra.checks.tree import GUID, Declared, Finding, Template, Templates, at, literal, text, walk

ASSIGNMENT = "Microsoft.Authorization/roleAssignments@"
COSMOS_CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"  # Cosmos DB numbers its own roles
NEVER = ("listauthkeys", "getdataplaneaccess", "usesecrets", "/write", "/delete", "*")


@dataclass(frozen=True, order=True)
class Grant:
    """One line of who may do what: the principal's parameter, the role's name, the resource's symbol or ''."""

    file: str
    principal: str
    role: str
    scope: str


def grants(templates: Templates) -> set[Grant]:
    return {
        grant for template in templates.files.values() for one in assignments(template) for grant in of(one, template)
    }


def assignments(template: Template) -> Iterator[Declared]:
    return (one for one in template.of("resource").values() if one.about.startswith(ASSIGNMENT))


def of(one: Declared, template: Template) -> Iterator[Grant]:
    scope = at(one.body, "scope")
    principal = at(one.body, "properties.principalId")
    where = "" if scope is None else text(scope).partition("[")[0]
    for role in _roles(one, template):
        yield Grant(template.name, "" if principal is None else _outside(one, template, text(principal)), role, where)


def _outside(one: Declared, template: Template, name: str) -> str:
    """The parameter that a loop goes through, where the name is what the loop gives."""
    loop = one.value
    if loop is not None and loop.type == "for_statement" and text(loop.named_children[0]) == name:
        return text(loop.named_children[1])
    return name


def _roles(one: Declared, template: Template) -> list[str]:
    value = at(one.body, "properties.roleDefinitionId")
    if value is None:
        return []
    if value.type == "identifier" and text(value) in template.of("var"):
        value = template.of("var")[text(value)].value
    if value is None or value.type != "call_expression":
        return []
    role = value.named_children[1].named_children[-1]
    loop = one.value
    if role.type == "identifier" and loop is not None and loop.type == "for_statement":
        source = template.of("var").get(text(loop.named_children[1]))
        listed = source.value.named_children if source and source.value else []
        return [text(each).removeprefix("roles.") for each in listed]
    if role.type == "call_expression":  # a role of our own: the last part of its name says which
        return [literal(role.named_children[1].named_children[-1])]
    return [text(role).removeprefix("roles.").removesuffix(".name")]


def role_assignments(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        for one in assignments(template):
            for missing in _missing(one):
                yield template.finding(one.node, f"{one.name!r} {missing}")
            if not _roles(one, template):
                yield template.finding(one.node, f"{one.name!r} names no role by roles.json or of our own")


def _missing(one: Declared) -> Iterator[str]:
    name, definition = at(one.body, "name"), at(one.body, "properties.roleDefinitionId")
    if name is None or not text(name).startswith("guid("):
        yield "has a name that a second deployment would not find again: make it with guid()"
    if at(one.body, "properties.principalType") is None:
        yield "does not say what its principal is: a new identity would not be found in time"
    if definition is None or GUID.search(text(definition)):
        yield "takes its role from elsewhere than roles.json"


def guids(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        for node in walk(template.root):
            if node.type == "string_content" and GUID.search(text(node)) and text(node) != COSMOS_CONTRIBUTOR:
                yield template.finding(node, f"{text(node)!r}: GUIDs stand in roles.json")


def unused_roles(templates: Templates) -> Iterator[Finding]:
    words = {text(node) for template in templates.files.values() for node in walk(template.root) if _is_role(node)}
    path = templates.folder / "roles.json"
    for name in read(templates, "roles.json"):
        if f"roles.{name}" not in words:
            yield Finding(path.name, 1, f"{name!r} is granted to nobody")


def _is_role(node: Node) -> bool:
    return node.type == "member_expression" and text(node).startswith("roles.")


def factory_roles(templates: Templates) -> Iterator[Finding]:
    """Neither of our own roles may change a definition or read a secret; only the operator's may do anything at all."""
    for name, actions in read(templates, "factoryRoles.json").items():
        for action in actions:
            if any(word in action.lower() for word in NEVER):
                yield Finding("factoryRoles.json", 1, f"{name} holds {action}")
            elif name != "operator" and not action.endswith("/read") and "/query" not in action:
                yield Finding("factoryRoles.json", 1, f"{name} holds {action}, which reads nothing")


def read(templates: Templates, name: str) -> dict[str, list[str]]:
    import json

    content: dict[str, list[str]] = json.loads((templates.folder / name).read_text(encoding="utf-8"))
    return content
