"""The functions of an app: found by name, read from the library's own bindings, checked before anything runs."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func

from localcloud.host.settings import LoadError

TRIGGERS = frozenset({"httpTrigger", "queueTrigger", "timerTrigger", "eventGridTrigger"})
OUTPUTS = frozenset({"http", "queue"})
RETURN = "$return"


@dataclass(frozen=True)
class Binding:
    kind: str
    name: str
    options: Mapping[str, Any]

    @property
    def is_trigger(self) -> bool:
        return self.kind.endswith("Trigger")


@dataclass(frozen=True)
class Function:
    name: str
    call: Callable[..., Any]
    trigger: Binding
    outputs: Sequence[Binding]
    directory: str
    wants_context: bool

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.call)

    @property
    def returns(self) -> Binding | None:
        return next((output for output in self.outputs if output.name == RETURN), None)

    @property
    def named_outputs(self) -> list[Binding]:
        return [output for output in self.outputs if output.name != RETURN]


def load_functions(target: str, root: Path) -> list[Function]:
    """The functions of `module:attribute` under `root`, in registration order. Raises LoadError."""
    app = import_app(target, root)
    try:
        found = app.get_functions()  # only once: a second call takes every name for a duplicate
    except Exception as exc:
        raise LoadError(f"The functions of {target!r} cannot be indexed: {exc}") from exc
    return [read_function(function, root) for function in found]


def import_app(target: str, root: Path) -> Any:
    module_name, _, attribute = target.partition(":")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    os.chdir(root)  # where the real worker runs an app
    module = importlib.import_module(module_name)
    refuse_two_names(module)
    app = getattr(module, attribute or "app", None)
    if not hasattr(app, "get_functions"):
        raise LoadError(f"{target!r} is not a function app. Name it as --app module:attribute.")
    return app


def refuse_two_names(module: object) -> None:
    names = [name for name, value in vars(module).items() if isinstance(value, func.FunctionRegister)]
    if len(names) > 1:
        raise LoadError(f"Only one name may hold a function app at the top level; here are {', '.join(sorted(names))}.")


def read_function(function: Any, root: Path) -> Function:
    name = function.get_function_name()
    bindings = [read_binding(text) for text in function.get_raw_bindings()]
    call = function.get_user_function()
    parameters = set(inspect.signature(call).parameters)
    check_parameters(name, parameters, {binding.name for binding in bindings} - {RETURN})
    return Function(
        name=name,
        call=call,
        trigger=next(binding for binding in bindings if binding.is_trigger),
        outputs=[binding for binding in bindings if not binding.is_trigger],
        directory=str(root),
        wants_context="context" in parameters and "context" not in {binding.name for binding in bindings},
    )


def read_binding(text: str) -> Binding:
    options = json.loads(text)
    return Binding(options["type"], options["name"], options)


def check_parameters(function: str, parameters: set[str], bound: set[str]) -> None:
    """The rule of the real worker, which would leave such a function out."""
    unbound = parameters - bound - {"context"}
    missing = bound - parameters
    if unbound:
        raise LoadError(f"Function {function!r} has parameters without a binding: {', '.join(sorted(unbound))}.")
    if missing:
        raise LoadError(f"Function {function!r} has bindings without a parameter: {', '.join(sorted(missing))}.")


def why_not_served(function: Function) -> str | None:
    """The first binding that this host does not know, in words; None when it can serve the function."""
    if function.trigger.kind not in TRIGGERS:
        return f"its trigger is a {function.trigger.kind}"
    strange = [output.kind for output in function.outputs if output.kind not in OUTPUTS]
    return f"it has a binding of type {strange[0]}" if strange else None
