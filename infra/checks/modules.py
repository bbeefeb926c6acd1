"""Modules: they exist, get exactly their parameters, and are asked for outputs that they have."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from infra.checks.tree import Declared, Finding, Template, Templates, at, literal, properties, text, walk

LITERALS = {"string": "string", "number": "int", "boolean": "bool", "array": "array", "object": "object"}


def modules(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        for module in template.of("module").values():
            target = templates.target(template, module)
            if target is None:
                yield template.finding(module.node, f"there is no module {module.about!r}")
                continue
            yield from _parameters(template, module, target)
            yield from _scope(template, module, target)


def orphans(templates: Templates) -> Iterator[Finding]:
    """A module that nobody deploys is checked in vain."""
    reached = {
        target.name
        for template in templates.files.values()
        for module in template.of("module").values()
        if (target := templates.target(template, module)) is not None
    }
    for name, template in templates.files.items():
        if name not in reached | {"main.bicep"}:
            yield template.finding(template.root, "is a module that nothing uses")


def outputs(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        known = template.of("module")
        for node in walk(template.root):
            asked = _output(node)
            module = known.get(asked[0]) if asked else None
            target = templates.target(template, module) if module else None
            if asked and module and target and asked[1] not in target.of("output"):
                yield template.finding(node, f"{module.about} has no output {asked[1]!r}")


def _parameters(template: Template, module: Declared, target: Template) -> Iterator[Finding]:
    given = properties(at(module.body, "params"))
    wanted = target.of("param")
    for name, value in given.items():
        if name not in wanted:
            yield template.finding(value, f"{module.about} takes no {name!r}")
        elif not _fits(value, wanted[name].about):
            yield template.finding(value, f"{name!r} of {module.about} is {wanted[name].about}")
    for name, one in wanted.items():
        needed = one.value is None and not one.about.endswith("?")
        if needed and name not in given:
            yield template.finding(module.node, f"{module.about} is not given {name!r}")


def _fits(value: Node, wanted: str) -> bool:
    """Only of literals is the type known here."""
    kind = LITERALS.get(value.type)
    return kind is None or kind == wanted or (kind == "array" and wanted.endswith("[]"))


def _scope(template: Template, module: Declared, target: Template) -> Iterator[Finding]:
    if template.scope != target.scope and at(module.body, "scope") is None:
        yield template.finding(module.node, f"{module.about} belongs into a {target.scope}: say which")
    if at(module.body, "name") is None:
        yield template.finding(module.node, f"the deployment of {module.about} has no name")


def _output(node: Node) -> tuple[str, str] | None:
    """(symbol, output) of `symbol.outputs.output` and `symbol[i].outputs.output`."""
    if node.type != "member_expression" or node.named_children[0].type != "member_expression":
        return None
    inner, name = node.named_children
    where, word = inner.named_children
    if text(word) != "outputs":
        return None
    symbol = where.named_children[0] if where.type == "subscript_expression" else where
    return text(symbol), text(name)


def deployment_names(templates: Templates) -> Iterator[Finding]:
    """Deployments of one name in one scope overwrite each other: in a loop each has a name of its own."""
    for template in templates.files.values():
        seen: set[str] = set()
        for module in template.of("module").values():
            name = at(module.body, "name")
            told = literal(name) if name is not None else ""
            if told in seen or (module.looped and "${" not in told):
                yield template.finding(module.node, f"another deployment is named {told!r} too")
            seen.add(told)
