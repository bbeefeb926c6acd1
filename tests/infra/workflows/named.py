"""What a pipeline names is there: jobs, outputs, inputs, artifacts, targets, scripts, modules, commands."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infra.release.__main__ import parsed
from tests.infra.workflows.reading import DEVOPS, GITHUB, Found, Job, Pipelines, Yaml, expressions, run

PYTHON_MODULE = re.compile(r"-m ([\w.]+)")


def needs(all_of: Pipelines) -> Found:
    """Jobs, outputs, inputs and steps that are named are there."""
    for name, content in all_of.github.items():
        inputs = {
            key for trigger in content["on"].values() if isinstance(trigger, dict) for key in trigger.get("inputs", ())
        }
        jobs = content["jobs"]
        for job, body in jobs.items():
            wanted = [body["needs"]] if isinstance(body.get("needs"), str) else body.get("needs") or []
            for missing in set(wanted) - set(jobs):
                yield name, f"{job} needs {missing!r}, which is not there"
            yield from ((name, f"{job}: {text}") for text in _unknown(all_of.root, body, jobs, set(wanted), inputs))
            yield from ((name, f"{job}: {text}") for text in _call(all_of, body))


def _unknown(root: Path, body: Yaml, jobs: Yaml, wanted: set[str], inputs: set[str]) -> Iterator[str]:
    steps = {step.get("id") for step in body.get("steps", [])}
    for expression in expressions(body):
        for needed, kind, output in re.findall(r"needs\.(\w+)\.(\w+)(?:\.(\w+))?", expression):
            if needed not in wanted:
                yield f"{needed!r} is asked for, and not needed"
            elif kind == "outputs" and output not in (jobs.get(needed, {}).get("outputs") or {}):
                yield f"{needed} has no output {output!r}"
        for asked in re.findall(r"inputs\.(\w+)", expression):
            if asked not in inputs:
                yield f"there is no input {asked!r}"
        for step, output in re.findall(r"steps\.(\w+)\.outputs\.(\w+)", expression):
            source = next((run(each) for each in body["steps"] if each.get("id") == step), "")
            told = (root / source.split()[1]).read_text(encoding="utf-8") if source.startswith("sh ") else source
            if step not in steps or f"{output}=" not in told:
                yield f"no step {step!r} tells {output!r}"


def _call(all_of: Pipelines, body: Yaml) -> Iterator[str]:
    if "uses" not in body:
        return
    called = all_of.files.get(str(body["uses"]).removeprefix("./"))
    if called is None:
        yield f"there is no {body['uses']}"
        return
    inputs = (called["on"].get("workflow_call") or {}).get("inputs") or {}
    if set(inputs) != set(body.get("with") or {}):
        yield f"{body['uses']} takes {sorted(inputs)}, and is given {sorted(body.get('with') or {})}"
    asked = {
        key for job in called["jobs"].values() for key, how in (job.get("permissions") or {}).items() if how == "write"
    }
    if asked - {key for key, how in (body.get("permissions") or {}).items() if how == "write"}:
        yield f"{body['uses']} needs {sorted(asked)}, which it is not given"


def artifacts(all_of: Pipelines) -> Found:
    for where in (GITHUB, DEVOPS):
        made, taken = set(), set()
        for job in (job for job in all_of.jobs() if job.file.startswith(where)):
            for step in job.steps:
                kind = str(step.get("uses") or step.get("task") or "")
                given = step.get("with") or step.get("inputs") or {}
                name = given.get("name") or given.get("artifact") or given.get("artifactName")
                path = str(given.get("path") or given.get("targetPath") or "")
                if "upload-artifact" in kind or "PublishPipelineArtifact" in kind:
                    made.add((name, Path(path).name))
                if "download-artifact" in kind or "DownloadPipelineArtifact" in kind:
                    taken |= {(name, file) for file in _taken(job, path)}
        for name, file in taken - made:
            yield where, f"{file!r} of the artifact {name!r} is made by nobody"


def _taken(job: Job, folder: str) -> set[str]:
    found = {
        name for command in job.commands for name in re.findall(rf"{re.escape(folder)}/(\S+?)[\s\"]", f"{command} ")
    }
    return found or {""}


def commands(all_of: Pipelines) -> Found:
    """Targets, scripts, modules and words of infra.release that a step names are there, and its shell is sound."""
    makefile = (all_of.root / "Makefile").read_text(encoding="utf-8")
    for job in all_of.jobs():
        for command in job.commands:
            for problem in _command(all_of.root, makefile, command):
                yield job.file, f"{job.name}: {problem}"


def _command(root: Path, makefile: str, command: str) -> Iterator[str]:
    checked = subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True, check=False)
    if checked.returncode:
        yield checked.stderr.strip()
        return
    for target in re.findall(r"^\s*make ([a-z-]+)", command, re.MULTILINE):
        if not re.search(rf"^{target}:", makefile, re.MULTILINE):
            yield f"there is no 'make {target}'"
    for script in re.findall(r"\bsh (\S+?)[\s)]", f"{command} "):
        if not (root / script).is_file():
            yield f"there is no {script}"
    for module in PYTHON_MODULE.findall(command):
        path = root / module.replace(".", "/")
        if not (path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()):
            yield f"there is no module {module}"
    for words in re.findall(r"-m infra\.release (.+)", command):
        try:
            parsed(shlex.split(words))
        except SystemExit:
            yield f"infra.release does not understand {words!r}"
