"""Names that the templates share with the code: queues, tables, containers, functions. Never written by hand.

    python -m infra.names            # writes infra/storage.json and infra/functions.json
    python -m infra.names --check    # says whether they are what they would be, and changes nothing

Queues and functions are read from the app as the Functions host indexes it, tables and the container from the calls
that open them: whoever adds one has nothing to remember but to run this, and a test tells who forgot.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STORAGE, FUNCTIONS = ROOT / "infra" / "storage.json", ROOT / "infra" / "functions.json"
PACKAGES = ("core", "tools_worker", "orchestrator")
LOOKS_ONLY = ROOT / "orchestrator" / "doctor"  # asks for all of them by names that the others give
DEAD_LETTERS = "dead-letters"  # of Event Grid: the code does not know it
RELEASES = "releases"  # of infra.release, which reads the name from the file
EXECUTOR = ("actions_execute",)  # what runs under the operator's identity, and nowhere else

# What the executor opens besides its own queue: records it writes, and the queue by which it wakes the healer.
EXECUTOR_TABLES = ("actions", "audit", "causes", "incidents")
EXECUTOR_SENDS_TO = ("repairs",)


def storage(functions: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What infra/modules/dataStorage.bicep makes."""
    triggers = {name: _queue(bindings, "queueTrigger") for name, bindings in functions.items()}
    taken = {name: queue for name, queue in triggers.items() if queue}
    replies = {_queue(bindings, "queue") for bindings in functions.values()} - {""}
    inputs = {queue for queue in taken.values() if queue.endswith("-input")}
    (container,) = opened("get_container_client")
    return {
        "auditContainer": container,
        "deadLetterContainer": DEAD_LETTERS,
        "operator": {
            "queues": sorted(name for function in EXECUTOR for name in (taken[function], f"{taken[function]}-poison")),
            "sendsTo": sorted(EXECUTOR_SENDS_TO),
            "tables": sorted(EXECUTOR_TABLES),
        },
        "releaseContainer": RELEASES,
        "poisonQueues": sorted(f"{queue}-poison" for queue in taken.values()),
        "tables": sorted(opened("get_table_client")),
        "toolInputs": sorted(inputs),
        "toolOutputs": sorted(replies),
        "workQueues": sorted(set(taken.values()) - inputs),
    }


def split(functions: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    """Which functions are on in which of the two apps; each app switches the other's off."""
    return {"app": sorted(set(functions) - set(EXECUTOR)), "operator": sorted(EXECUTOR)}


def indexed() -> dict[str, list[dict[str, Any]]]:
    """The bindings of every function. Once in a process: the library refuses to be asked twice."""
    from function_app import app

    return {
        str(function.get_function_name()): [binding.get_dict_repr() for binding in function.get_bindings()]
        for function in app.get_functions()
    }


def opened(method: str) -> set[str]:
    """The names with which the code calls `method`: texts, or constants of the module that calls."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {name for path in files if not path.is_relative_to(LOOKS_ONLY) for name in _called(path, method)}


def _called(path: Path, method: str) -> Iterator[str]:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source if method in source else "")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is(node.func, method)]
    constants = dict(_constants(tree)) if calls else {}
    for call in calls:
        (argument,) = call.args
        if isinstance(argument, ast.Constant):
            yield str(argument.value)
        elif isinstance(argument, ast.Name) and argument.id in constants:
            yield constants[argument.id]
        else:
            raise SystemExit(f"{path}:{call.lineno}: {method} is called with a name that only a running app knows.")


def _is(function: ast.expr, method: str) -> bool:
    return isinstance(function, ast.Attribute) and function.attr == method


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """`A = "a"` and `A, B = "a", "b"` at the level of the module."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            values = value.elts if isinstance(value, ast.Tuple) else [value]
            for name, text in zip(names, values, strict=False):
                if isinstance(name, ast.Name) and isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield name.id, text.value


def _queue(bindings: list[dict[str, Any]], kind: str) -> str:
    return next((str(binding["queueName"]) for binding in bindings if binding["type"] == kind), "")


def written(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether the files are right")
    arguments = parser.parse_args()
    functions = indexed()
    wanted = {STORAGE: written(storage(functions)), FUNCTIONS: written(split(functions))}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if arguments.check:
            sys.stderr.write(f"{path.relative_to(ROOT)} is not what the code asks for: run python -m infra.names\n")
        else:
            path.write_text(wanted[path], encoding="utf-8")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
