"""Stages come in their order, are seen before they are approved, and are the same on GitHub and on Azure DevOps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tests.infra.workflows.reading import DEVOPS, GITHUB, Found, Job, Pipelines, Yaml
from tests.infra.workflows.safety import OWN

TWINS = (
    (f"{GITHUB}/deploy.yml", f"{DEVOPS}/azure-pipelines.yml"),
    (f"{GITHUB}/rollback.yml", f"{DEVOPS}/rollback.yml"),
    (f"{GITHUB}/security.yml", f"{DEVOPS}/security.yml"),
)
ONLY_GITHUB = {"changes", "code"}  # infra/devops/security.yml says why


def stages(all_of: Pipelines) -> Found:
    """Those of infra/stages.json, in its order, wherever a stage is named."""
    wanted = list(json.loads((all_of.root / "infra/stages.json").read_text(encoding="utf-8")))
    deploy = all_of.files[f"{GITHUB}/deploy.yml"]["jobs"]
    called = [body["with"]["stage"] for body in deploy.values() if body.get("uses") == f"{OWN}stage.yml"]
    choice = all_of.files[f"{GITHUB}/rollback.yml"]["on"]["workflow_dispatch"]["inputs"]["stage"]["options"]
    templates = [stage for stage in all_of.files[f"{DEVOPS}/azure-pipelines.yml"]["stages"] if "template" in stage]
    devops = [stage["parameters"]["stage"] for stage in templates]
    for where, found in ((f"{GITHUB}/deploy.yml", called), (f"{GITHUB}/rollback.yml", choice), (DEVOPS, devops)):
        if found != wanted:
            yield where, f"names the stages {found}, and there are {wanted}"
    for name in (f"{DEVOPS}/rollback.yml", f"{DEVOPS}/templates/stage.yml"):
        (values,) = [each["values"] for each in all_of.files[name]["parameters"] if each["name"] == "stage"]
        if values != wanted:
            yield name, f"names the stages {values}, and there are {wanted}"
    for name, body in deploy.items():
        earlier = list(wanted[: wanted.index(name)]) if name in wanted else []
        if name in wanted and {"package", *earlier} - set(_list(body.get("needs"))):
            yield f"{GITHUB}/deploy.yml", f"{name} does not wait for {earlier}"
    for stage in templates:
        given = stage["parameters"]
        if given["after"] != ["package", *wanted[: wanted.index(given["stage"])]]:
            yield f"{DEVOPS}/azure-pipelines.yml", f"{given['stage']} does not wait for those before it"


def _list(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []


def approvals(all_of: Pipelines) -> Found:
    """What would change is seen before anything is approved: in a job, or a stage, of its own that comes first."""
    jobs = {job.name: job for job in all_of.github_jobs() if job.file == f"{GITHUB}/stage.yml"}
    deploy, preview = jobs["deploy"], jobs["preview"]
    if deploy.body.get("needs") != "preview" or deploy.environment != "${{ inputs.stage }}":
        yield f"{GITHUB}/stage.yml", "deploy does not wait for the preview, or for its own approval"
    if preview.environment != "${{ inputs.stage }}-preview":
        yield f"{GITHUB}/stage.yml", "the preview waits for the approval that it is for"
    for name, content in all_of.devops.items():
        previews = {stage["stage"] for stage in content["stages"] if str(stage.get("stage")).startswith("preview_")}
        for stage in content["stages"]:
            deployment = next((job for job in stage.get("jobs", []) if "deployment" in job), None)
            if deployment and not str(deployment["environment"]).startswith("adf-operations-"):
                yield name, f"{stage['stage']} is in no environment of ours"
            if deployment and previews and not previews & set(_list(stage.get("dependsOn"))):
                yield name, f"{stage['stage']} does not wait for its preview"


def twins(all_of: Pipelines) -> Found:
    """The same stages in the same order, and the same commands in each."""
    for one, other in TWINS:
        left, right = flow(all_of, one), flow(all_of, other)
        if list(left) != list(right):
            yield other, f"has {list(right)}, and {one} has {list(left)}"
            continue
        for name in left:
            if left[name] != right[name]:
                yield other, f"{name} runs {sorted(right[name])}, and in {one} {sorted(left[name])}"


def flow(all_of: Pipelines, name: str) -> dict[str, set[str]]:
    """Each job in order, called ones and templates put in, with what it runs of ours."""
    content = all_of.files[name]
    if name.startswith(GITHUB):
        return dict(_github_flow(all_of, content))
    return dict(_devops_flow(all_of, content))


def _github_flow(all_of: Pipelines, content: Yaml) -> Iterator[tuple[str, set[str]]]:
    for name, body in content["jobs"].items():
        if "uses" in body:
            called = all_of.files[str(body["uses"]).removeprefix("./")]
            yield from ((f"{name}.{inner}", ours) for inner, ours in _github_flow(all_of, called))
        elif name not in ONLY_GITHUB:
            yield name, _ours(Job("", name, body))


def _devops_flow(all_of: Pipelines, content: Yaml) -> Iterator[tuple[str, set[str]]]:
    for stage in content["stages"]:
        if "template" in stage:
            template = all_of.files[f"{DEVOPS}/{stage['template']}"]
            for inner, ours in _devops_flow(all_of, template):
                yield f"{stage['parameters']['stage']}.{inner}", ours
        else:
            for body in stage["jobs"]:
                job = body.get("job") or body.get("deployment")
                single = len(stage["jobs"]) == 1 or stage["stage"] == "security"
                yield (job if single else f"{stage['stage']}.{job}"), _ours(Job("", job, body))


def _ours(job: Job) -> set[str]:
    text = "\n".join(job.commands)
    return {
        *re.findall(r"(?:^|\()\s*(make [a-z-]+)", text, re.MULTILINE),
        *(f"sh {script} {word}".strip() for script, word in re.findall(r"\bsh (\S+\.sh)( [a-z]+)?", text)),
        *re.findall(r"-m (?:infra\.release [a-z]+|[\w.]+)", text),
        *re.findall(r"sha256sum --check --strict", text),
    }
