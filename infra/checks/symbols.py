"""Syntax, and names: what is used is declared, what is declared is used, and nothing depends on itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tree_sitter import Node

from infra.checks.tree import Declared, Finding, Template, Templates, literal, text, walk

# The functions of Bicep that the templates use. One that is not here is a slip of the pen, or has to be added.
FUNCTIONS = {
    *(
        "cidrSubnet",
        "concat",
        "empty",
        "environment",
        "guid",
        "join",
        "last",
        "loadJsonContent",
        "loadTextContent",
        "map",
        "replace",
        "resourceGroup",
    ),
    *("split", "subscription", "subscriptionResourceId", "substring", "take", "tenant", "toLower", "toObject", "trim"),
    *("union", "uniqueString"),
}
DECORATORS = {"allowed", "batchSize", "description", "maxLength", "minLength"}
LOOP_NAMES = ("loop_variable", "loop_enumerator")


def syntax(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        for node in walk(template.root):
            if node.is_error or node.is_missing:
                yield template.finding(node, f"cannot be read as Bicep: {text(node)[:60]!r}")


def names(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        known = {one.name for one in template.declared if one.kind != "output"}
        for node, local in used(template):
            if text(node) not in known | local:
                yield template.finding(node, f"{text(node)!r} is declared nowhere")
        for node in walk(template.root):
            if node.type == "call_expression" and not _known_call(node):
                yield template.finding(node, f"Bicep has no function {text(node.named_children[0])!r}")
        yield from _twice(template)


def unused(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        mentioned = {text(node) for node, _ in used(template)}
        for one in template.declared:
            silent = one.kind in ("param", "var") or one.existing
            if silent and one.name not in mentioned:
                yield template.finding(one.node, f"{one.kind} {one.name!r} is used by nothing")


def cycles(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        needs = {one.name: _mentions(one) for one in template.declared if one.kind != "output"}
        for one in template.declared:
            if one.kind != "output" and one.name in _reached(one.name, needs):
                yield template.finding(one.node, f"{one.name!r} needs itself")


def json_keys(templates: Templates) -> Iterator[Finding]:
    """`size.logDays` of a variable read from JSON: the key is there, for every value by which it is chosen."""
    for template in templates.files.values():
        for variable in template.of("var").values():
            content = templates.json(template, variable)
            if content is not None:
                yield from _keys(template, variable, content)


def _keys(template: Template, variable: Declared, content: Mapping[str, Any]) -> Iterator[Finding]:
    value = variable.value
    chosen = value is not None and value.type == "subscript_expression"
    variants = dict(content) if chosen else {"": content}
    if chosen and value is not None:
        allowed = _allowed(template, text(value.named_children[1]))
        if allowed != set(variants):
            yield template.finding(variable.node, f"has values for {sorted(variants)}, asked {sorted(allowed)}")
    for node in walk(template.root):
        path = _path(node, variable.name)
        for which, tree in variants.items():
            if path and not _has(tree, path):
                told = f" of {which!r}" if which else ""
                yield template.finding(node, f"{'.'.join((variable.name, *path))}{told} is in no JSON file")


def _has(tree: Any, path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return False
        tree = tree[key]
    return True


def _path(node: Node, name: str) -> tuple[str, ...]:
    """`a.b.c` as (b, c) where `a` is that name and `node` the whole of it."""
    if node.type != "member_expression" or (node.parent is not None and node.parent.type == "member_expression"):
        return ()
    keys: list[str] = []
    while node.type == "member_expression":
        keys.insert(0, text(node.named_children[1]))
        node = node.named_children[0]
    return tuple(keys) if text(node) == name else ()


def _allowed(template: Template, parameter: str) -> set[str]:
    decorators = template.of("param")[parameter].decorators if parameter in template.of("param") else ()
    calls = [call for one in decorators for call in one.named_children if text(call).startswith("allowed(")]
    return {literal(value) for call in calls for value in walk(call) if value.type == "string"}


def used(template: Template) -> Iterator[tuple[Node, frozenset[str]]]:
    """Each name that stands for something, with the names that loops and lambdas around it give."""
    for one in template.root.named_children:
        yield from _used(one, frozenset())


def _used(node: Node, local: frozenset[str]) -> Iterator[tuple[Node, frozenset[str]]]:
    if node.type in ("decorators", "comment"):
        return
    if node.type in ("for_statement", "lambda_expression"):
        local = local | _given(node)
    for child in node.named_children:
        if child.type == "identifier":
            if not _names_itself(node, child):
                yield child, local
        else:
            yield from _used(child, local)


def _names_itself(node: Node, child: Node) -> bool:
    """The name of a declaration, a key, a function or what a loop gives is none that stands for something else."""
    first = node.named_children[0] == child
    return first and node.type in (
        "parameter_declaration",
        "variable_declaration",
        "resource_declaration",
        "module_declaration",
        "output_declaration",
        "object_property",
        "call_expression",
        "lambda_expression",
        "for_statement",
    )


def _given(node: Node) -> frozenset[str]:
    first = node.named_children[0]
    if first.type == "for_loop_parameters":
        return frozenset(text(part) for part in first.named_children if part.type in LOOP_NAMES)
    return frozenset({text(first)})


def _known_call(node: Node) -> bool:
    function = node.named_children[0]
    allowed = DECORATORS if node.parent is not None and node.parent.type == "decorator" else FUNCTIONS
    return function.type == "identifier" and text(function) in allowed


def _twice(template: Template) -> Iterator[Finding]:
    seen: set[tuple[bool, str]] = set()
    for one in template.declared:
        key = (one.kind == "output", one.name)
        if key in seen:
            yield template.finding(one.node, f"{one.name!r} is declared twice")
        seen.add(key)


def _mentions(one: Declared) -> set[str]:
    return {text(node) for node, local in _used(one.node, frozenset()) if text(node) not in local}


def _reached(start: str, needs: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(needs.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(needs.get(name, ()))
    return reached
