"""Bicep files as trees: what each declares, and what stands where."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

LANGUAGE = Language(tree_sitter_bicep.language())
DECLARATIONS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, and which check says so."""

    file: str
    line: int
    text: str
    check: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text} [{self.check}]"


@dataclass(frozen=True)
class Declared:
    """One declaration. `body` is the object or expression that it stands for, out of its loop and its condition."""

    kind: str
    name: str
    node: Node
    about: str = ""  # of a resource its type and version, of a module its path, of parameters and outputs their type
    value: Node | None = None
    existing: bool = False
    decorators: tuple[Node, ...] = ()

    @property
    def line(self) -> int:
        return self.node.start_point[0] + 1

    @property
    def looped(self) -> bool:
        return self.value is not None and self.value.type == "for_statement"

    @property
    def body(self) -> Node | None:
        """The object of a resource or module."""
        node = self.value
        while node is not None and node.type in ("for_statement", "if_statement"):
            node = next((c for c in node.named_children if c.type in ("object", "if_statement")), None)
        return node


@dataclass(frozen=True)
class Template:
    """One file."""

    name: str  # relative to the folder of the templates
    path: Path
    root: Node = field(repr=False)

    @cached_property
    def declared(self) -> list[Declared]:
        return list(_declarations(self.root))

    def of(self, kind: str) -> dict[str, Declared]:
        return {one.name: one for one in self.declared if one.kind == kind}

    @cached_property
    def scope(self) -> str:
        found = (node for node in self.root.children if node.type == "target_scope_assignment")
        return next((literal(node.named_children[-1]) for node in found), "resourceGroup")

    def finding(self, node: Node, text: str) -> Finding:
        return Finding(self.name, node.start_point[0] + 1, text)


@dataclass(frozen=True)
class Templates:
    """All files of a folder, `main.bicep` first among them, and the JSON beside them."""

    folder: Path

    @cached_property
    def files(self) -> dict[str, Template]:
        return {
            path.relative_to(self.folder).as_posix(): self._read(path) for path in sorted(self.folder.rglob("*.bicep"))
        }

    @property
    def main(self) -> Template:
        return self.files["main.bicep"]

    def _read(self, path: Path) -> Template:
        root = Parser(LANGUAGE).parse(path.read_bytes()).root_node
        return Template(path.relative_to(self.folder).as_posix(), path, root)

    def target(self, template: Template, module: Declared) -> Template | None:
        """The file that a module names; None where there is none."""
        path = (template.path.parent / module.about).resolve()
        folder = self.folder.resolve()
        return self.files.get(path.relative_to(folder).as_posix()) if path.is_relative_to(folder) else None

    def json(self, template: Template, variable: Declared) -> Any:
        """What a variable reads from a JSON file; None where it reads none."""
        call = variable.value
        if call is not None and call.type == "subscript_expression":
            call = call.named_children[0]
        if call is None or call.type != "call_expression" or text(call.named_children[0]) != "loadJsonContent":
            return None
        path = template.path.parent / literal(call.named_children[1].named_children[0])
        return json.loads(path.read_text(encoding="utf-8"))


def _declarations(root: Node) -> Iterator[Declared]:
    decorators: tuple[Node, ...] = ()
    for node in root.named_children:
        if node.type == "decorators":
            decorators = tuple(node.named_children)
            continue
        if node.type in DECLARATIONS:
            yield _declared(node, decorators)
        if node.type != "comment":
            decorators = ()


def _declared(node: Node, decorators: tuple[Node, ...]) -> Declared:
    kind = DECLARATIONS[node.type]
    name, *rest = node.named_children
    about = ""
    if kind in ("resource", "module"):
        about, rest = literal(rest[0]), rest[1:]
    elif kind in ("param", "output") and rest and rest[0].type in ("type", "identifier"):
        about, rest = text(rest[0]), rest[1:]
    existing = any(child.type == "existing" for child in node.children)
    given = any(child.type == "=" for child in node.children)
    value = rest[-1] if given and rest else None
    return Declared(kind, text(name), node, about, value, existing, decorators)


def text(node: Node) -> str:
    return (node.text or b"").decode()


def literal(node: Node) -> str:
    """A text as written, without its quotes, each interpolation as `${…}`."""
    quotes = 3 if text(node).startswith("'''") else 1
    return text(node)[quotes:-quotes] if node.type == "string" else text(node)


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def properties(node: Node | None) -> dict[str, Node]:
    """The keys of an object and what stands behind them."""
    found = [child for child in node.named_children if child.type == "object_property"] if node is not None else []
    return {literal(pair.named_children[0]): pair.named_children[-1] for pair in found}


def at(node: Node | None, path: str) -> Node | None:
    """What stands at `a.b.c` of an object."""
    for key in path.split("."):
        node = properties(node).get(key) if node is not None and node.type == "object" else None
    return node


def type_and_version(about: str) -> tuple[str, str]:
    kind, _, version = about.partition("@")
    return kind, version


GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
