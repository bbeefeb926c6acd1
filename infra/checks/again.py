"""A second deployment finds what the first one made, and two installations never meet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from infra.checks.tree import Declared, Finding, Template, Templates, at, text, walk

NEVER_THE_SAME = ("utcNow", "newGuid", "deployment")  # functions whose answer is another one each time
OWN_GROUP = (  # one for each environment, looked at before anything is made; zones have the names that Azure gives them
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Network/privateDnsZones",
)
OURS = re.compile(r"\$\{token\}|\btoken\b|rincipal|\bsender\.id\b|\boutputs\.name\b|\bworkspaceId\b")
POLICY = "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies"


def steady(templates: Templates) -> Iterator[Finding]:
    """Names and settings do not change for having been deployed again."""
    for template in templates.files.values():
        for node in walk(template.root):
            if node.type == "call_expression" and text(node.named_children[0]) in NEVER_THE_SAME:
                yield template.finding(node, f"{text(node)} is another one at each deployment")


def own_names(templates: Templates) -> Iterator[Finding]:
    """What stands by itself is named after the installation: also in the groups of factories, which others use too."""
    for template in templates.files.values():
        for one in template.of("resource").values():
            name = at(one.body, "name")
            if name is None or one.existing or at(one.body, "parent") is not None:
                continue
            if one.about.partition("@")[0] not in OWN_GROUP and not _is_ours(templates, template, name):
                yield template.finding(name, f"{text(name)} may be the name of another installation's {one.name!r}")


def _is_ours(templates: Templates, template: Template, name: Node) -> bool:
    """It holds what no other installation has: by itself, by a variable, or by what each user of this file gives."""
    if OURS.search(text(name)):
        return True
    words = [text(node) for node in walk(name) if node.type == "identifier"]
    return any(_comes_from_ours(templates, template, word) for word in words)


def _comes_from_ours(templates: Templates, template: Template, word: str) -> bool:
    variable = template.of("var").get(word)
    if variable is not None and variable.value is not None:
        return _is_ours(templates, template, variable.value)
    given = [
        (other, at(module.body, f"params.{word}"))
        for other in templates.files.values()
        for module in other.of("module").values()
        if templates.target(other, module) is template
    ]
    found = [_is_ours(templates, other, node) for other, node in given if node is not None]
    return bool(found) and all(found)


def locked(templates: Templates) -> Iterator[Finding]:
    """A locked policy refuses to be written: the templates must be able to leave it alone."""
    for template in templates.files.values():
        for one in template.of("resource").values():
            if one.about.partition("@")[0] == POLICY and _condition(one) != "!auditLocked":
                yield template.finding(one.node, f"{one.name!r} is written again where it is locked")


def _condition(one: Declared) -> str:
    found = next((node for node in walk(one.node) if node.type == "if_statement"), None)
    return text(found.named_children[0]).strip("()") if found is not None else ""
