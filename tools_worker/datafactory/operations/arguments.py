"""The arguments of an operation, read as what they should be: whoever sends them may be a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidArguments
from tools_worker.datafactory.operations.model import Operation, OperationKind
from tools_worker.datafactory.wording import listed

MAX_NAME = 260
MAX_NAMES = 50

TAKEN: Mapping[OperationKind, frozenset[str]] = {
    "rerun": frozenset({"run_id", "pipeline", "mode", "activity"}),
    "cancel": frozenset({"run_id", "pipeline", "recursive"}),
    "run_pipeline": frozenset({"pipeline", "parameters"}),
    "start_trigger": frozenset({"trigger"}),
    "stop_trigger": frozenset({"trigger"}),
    "rerun_window": frozenset({"trigger", "trigger_run_id"}),
    "pause_schedule": frozenset({"pipeline", "minutes", "triggers"}),
    "resume_schedule": frozenset({"pipeline", "triggers"}),
}


@dataclass(frozen=True, slots=True)
class Given:
    """Every method raises InvalidArguments for what is missing or of another type."""

    kind: OperationKind
    arguments: Mapping[str, Any]

    @classmethod
    def of(cls, operation: Operation) -> Given:
        if operation.kind not in TAKEN:
            raise InvalidArguments(f"There is no operation {operation.kind!r}.", hint=f"Known: {listed([*TAKEN], 9)}.")
        unknown = sorted(set(operation.arguments) - TAKEN[operation.kind])
        if unknown:
            takes = listed(sorted(TAKEN[operation.kind]), 9)
            raise InvalidArguments(f"{operation.kind} takes no {unknown[0]!r}.", hint=f"It takes {takes}.")
        return cls(operation.kind, operation.arguments)

    def name(self, key: str) -> str:
        found = self.name_or_none(key)
        if not found:
            raise InvalidArguments(f"{self.kind} needs {key!r}.")
        return found

    def name_or_none(self, key: str) -> str:
        """Empty when it is not given."""
        found = self.arguments.get(key)
        if found is None:
            return ""
        if not isinstance(found, str) or len(found) > MAX_NAME:
            raise InvalidArguments(f"{key!r} is a text of at most {MAX_NAME} characters.")
        return found.strip()

    def names(self, key: str) -> tuple[str, ...]:
        found = self.arguments.get(key) or ()
        right = isinstance(found, list | tuple) and all(
            isinstance(name, str) and len(name) <= MAX_NAME for name in found
        )
        if not right or len(found) > MAX_NAMES:
            raise InvalidArguments(f"{key!r} is a list of at most {MAX_NAMES} names.")
        return tuple(name.strip() for name in found if name.strip())

    def choice(self, key: str, choices: Mapping[str, Any], otherwise: str) -> str:
        found = self.name_or_none(key) or otherwise
        if found not in choices:
            raise InvalidArguments(f"{key!r} is one of {listed(list(choices), 9)}.")
        return found

    def flag(self, key: str, *, otherwise: bool) -> bool:
        found = self.arguments.get(key, otherwise)
        if not isinstance(found, bool):
            raise InvalidArguments(f"{key!r} is true or false.")
        return found

    def whole(self, key: str, least: int, most: int) -> int:
        found = self.arguments.get(key)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise InvalidArguments(f"{key!r} is a whole number from {least} to {most}.")
        return found

    def mapping(self, key: str) -> Mapping[str, Any]:
        found = self.arguments.get(key) or {}
        if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
            raise InvalidArguments(f"{key!r} is an object of names and values.")
        return found
