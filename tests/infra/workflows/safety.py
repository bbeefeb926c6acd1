"""What a pipeline must not do: run what is not fixed, lend rights, paste text into a shell, overlap."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.infra.workflows.reading import DEVOPS, GITHUB, Found, Pipelines, expressions

OWN = "./.github/workflows/"
PINNED = re.compile(r"uses: ([\w.-]+(?:/[\w.-]+)+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$")
WRITES = {"id-token", "security-events"}
TRIGGERS = {"push", "pull_request", "schedule", "workflow_call", "workflow_dispatch"}  # none lends rights to a stranger
INSTALLS = re.compile(r"\b(pip|npm|npx|uvx?|make|apt(-get)?|curl|wget|venv|infra/release/build\.sh)\b")
MACRO = re.compile(r"\$\{\{|\$\([A-Za-z_][\w.-]*\)|\$\[")  # filled in before a shell sees it
SECRET = re.compile(r"(?i)(secret|password|passwd|token|credential|(^|_)key)")
TASKS = {"AzureCLI@2", "DownloadPipelineArtifact@2", "PublishPipelineArtifact@1", "UsePythonVersion@0", "setup-azd@1"}


def pinned(all_of: Pipelines) -> Found:
    known: dict[str, str] = {}
    for name in all_of.github:
        for line in all_of.texts[name].splitlines():
            used = line.strip().removeprefix("- ")
            if not used.startswith("uses:") or used.startswith(f"uses: {OWN}"):
                continue
            found = PINNED.fullmatch(used)
            if found is None:
                yield name, f"{used!r} is not pinned by a commit with its version behind it"
            elif (
                known.setdefault("/".join(found[1].split("/")[:2]), f"{found[2]} {found[3]}")
                != f"{found[2]} {found[3]}"
            ):
                yield name, f"{found[1]} is pinned otherwise elsewhere"


def tasks(all_of: Pipelines) -> Found:
    for job in all_of.devops_jobs():
        for step in job.steps:
            task = step.get("task")
            if task and task not in TASKS:
                yield job.file, f"{task!r} is no task of a version that is known here"


def tools(all_of: Pipelines) -> Found:
    """azd is of one version everywhere, machines are of one release."""
    versions = set()
    for job in all_of.jobs():
        for step in job.steps:
            if "setup-azd" in str(step.get("uses") or step.get("task")):
                version = (step.get("with") or step.get("inputs") or {}).get("version", "")
                versions.add(version)
                if not re.fullmatch(r"\d+\.\d+\.\d+", str(version)):
                    yield job.file, f"{job.name}: azd is of no fixed version: {version!r}"
        if job.file.startswith(GITHUB) and job.steps and not re.fullmatch(r"ubuntu-\d\d\.\d\d", job.body["runs-on"]):
            yield job.file, f"{job.name} runs on whatever {job.body['runs-on']!r} is today"
    if len(versions) > 1:
        yield DEVOPS, f"azd is of several versions: {sorted(map(str, versions))}"
    for name, content in all_of.devops.items():
        if "templates" not in name and not re.fullmatch(r"ubuntu-\d\d\.\d\d", content["pool"]["vmImage"]):
            yield name, f"runs on whatever {content['pool']['vmImage']!r} is today"


def triggers(all_of: Pipelines) -> Found:
    for name, content in all_of.github.items():
        for trigger in set(content["on"]) - TRIGGERS:
            yield name, f"is started by {trigger!r}"


def permissions(all_of: Pipelines) -> Found:
    for name, content in all_of.github.items():
        if content.get("permissions") != {}:
            yield name, "gives every job permissions"
    for job in all_of.github_jobs():
        given = job.body.get("permissions")
        if not isinstance(given, dict):
            yield job.file, f"{job.name} says no permissions of its own"
            continue
        for what, how in given.items():
            if how not in ("read", "none") and what not in WRITES:
                yield job.file, f"{job.name} may {how} {what}"


def limits(all_of: Pipelines) -> Found:
    """No job runs for six hours because something hangs."""
    for job in all_of.jobs():
        minutes = job.body.get("timeout-minutes") or job.body.get("timeoutInMinutes")
        if "uses" not in job.body and not 1 <= int(minutes or 0) <= 120:
            yield job.file, f"{job.name} has no limit of time, or one that is none"


def secrets(all_of: Pipelines) -> Found:
    """There are none: whoever signs in does so by who it is."""
    for name, content in all_of.files.items():
        for expression in expressions(content):
            if "secrets." in expression or "secrets[" in expression:
                yield name, f"takes a secret: {expression!r}"
        for key, value in _settings(content):
            if SECRET.search(key) and key not in ("id-token", "persist-credentials", "persistCredentials"):
                yield name, f"{key!r} is given in plain sight: {value!r}"


def _settings(content: object) -> Iterator[tuple[str, object]]:
    if isinstance(content, dict):
        for key, value in content.items():
            if isinstance(value, (dict, list)):
                yield from _settings(value)
            else:
                yield str(key), value
            if key == "name" and "value" in content:
                yield str(value), content["value"]
    elif isinstance(content, list):
        for value in content:
            yield from _settings(value)


def injections(all_of: Pipelines) -> Found:
    """Nothing is pasted into a shell's text: values travel in the environment."""
    for job in all_of.jobs():
        for command in job.commands:
            if MACRO.search(command):
                yield job.file, f"{job.name}: {MACRO.findall(command)} in {command.strip()!r}"


def checkouts(all_of: Pipelines) -> Found:
    """What runs later finds no token in .git/config."""
    for job in all_of.jobs():
        for step in job.steps:
            kept = (step.get("with") or step).get("persist-credentials", step.get("persistCredentials"))
            if ("checkout@" in str(step.get("uses")) or "checkout" in step) and kept not in (False, "false"):
                yield job.file, f"{job.name} keeps its token"


def signing_in(all_of: Pipelines) -> Found:
    """Who may sign in to Azure is in an environment, which says who approves, and fetches and builds nothing."""
    for job in all_of.jobs():
        for command in job.commands:
            if job.may_sign_in and INSTALLS.search(command):
                yield job.file, f"{job.name} signs in to Azure, and installs or builds: {command.strip()!r}"
        if job.file.startswith(GITHUB) and job.steps and job.may_sign_in != bool(job.environment):
            yield job.file, f"{job.name} signs in without an environment, or is in one for nothing"


def one_at_a_time(all_of: Pipelines) -> Found:
    groups = set()
    for job in all_of.github_jobs():
        if job.environment and not job.environment.endswith("-preview"):
            found = job.body.get("concurrency") or {}
            groups.add(found.get("group"))
            if found.get("cancel-in-progress") is not False or job.environment not in str(found.get("group")):
                yield job.file, f"{job.name}: two deployments may overlap, or one is broken off"
    if len(groups) > 1:
        yield GITHUB, f"what must not overlap is in several groups: {groups}"
    for name, content in all_of.devops.items():
        for stage in content["stages"]:
            deploys = any("deployment" in job for job in stage.get("jobs", []))
            if deploys and stage.get("lockBehavior") != "sequential":
                yield name, f"{stage['stage']}: two deployments may overlap"
