"""Pipelines as data: strictly read, each step with the commands that it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

GITHUB, DEVOPS = ".github/workflows", "infra/devops"
Yaml = dict[str, Any]
Found = Iterator[tuple[str, str]]  # file, what is wrong there


@dataclass(frozen=True)
class Slip:
    rule: str
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.text} [{self.rule}]"


@dataclass(frozen=True)
class Job:
    """Of GitHub, or of Azure DevOps with its stage's name before its own."""

    file: str
    name: str
    body: Yaml

    @property
    def steps(self) -> list[Yaml]:
        steps: list[Yaml] = self.body.get("steps") or []
        strategy = self.body.get("strategy") or {}
        return steps or (strategy.get("runOnce") or {}).get("deploy", {}).get("steps", [])

    @property
    def commands(self) -> list[str]:
        return [command for step in self.steps if (command := run(step))]

    @property
    def environment(self) -> str:
        found = self.body.get("environment") or ""
        return str(found.get("name", "")) if isinstance(found, dict) else str(found)

    @property
    def may_sign_in(self) -> bool:
        permissions = self.body.get("permissions") or {}
        signs_in = any(str(step.get("task", "")).startswith("AzureCLI@") for step in self.steps)
        return signs_in or (isinstance(permissions, dict) and permissions.get("id-token") == "write")


class Pipelines:
    """All of them below `root`; `broken` are those that cannot be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.texts: dict[str, str] = {}
        self.files: dict[str, Yaml] = {}
        self.broken: list[Slip] = []
        for path in sorted([*(root / ".github").rglob("*.yml"), *(root / DEVOPS).rglob("*.yml")]):
            name = path.relative_to(root).as_posix()
            self.texts[name] = path.read_text(encoding="utf-8")
            try:
                self.files[name] = YAML(typ="safe", pure=True).load(self.texts[name])  # YAML 1.2; no name twice
            except YAMLError as exc:
                self.broken.append(Slip("yaml", name, str(exc).replace("\n", " ")))

    @property
    def github(self) -> dict[str, Yaml]:
        return {name: content for name, content in self.files.items() if name.startswith(GITHUB)}

    @property
    def devops(self) -> dict[str, Yaml]:
        return {name: content for name, content in self.files.items() if name.startswith(DEVOPS)}

    def jobs(self) -> Iterator[Job]:
        yield from self.github_jobs()
        yield from self.devops_jobs()

    def github_jobs(self) -> Iterator[Job]:
        for name, content in self.github.items():
            for job, body in content["jobs"].items():
                yield Job(name, job, body)

    def devops_jobs(self) -> Iterator[Job]:
        for name, content in self.devops.items():
            for stage in content["stages"]:
                for body in stage.get("jobs", []):
                    yield Job(name, f"{stage['stage']}.{body.get('job') or body.get('deployment')}", body)


def run(step: Yaml) -> str:
    """What a step gives to a shell."""
    return str(step.get("run") or step.get("script") or (step.get("inputs") or {}).get("inlineScript") or "")


def expressions(content: object) -> Iterator[str]:
    """What stands between `${{` and `}}`, and in an `if`, anywhere."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key == "if" and isinstance(value, str):
                yield value
            yield from expressions(value)
    elif isinstance(content, list):
        for value in content:
            yield from expressions(value)
    elif isinstance(content, str):
        yield from (found.strip() for found in re.findall(r"\$\{\{(.*?)\}\}", content, re.DOTALL))
