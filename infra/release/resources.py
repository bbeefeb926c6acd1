"""`azd provision`, and the preview of it that an approver reads.

What the templates take from the environment is given as pipelines have it: variables of the environment, or all of
GitHub's in one, `VARIABLES`. Empty ones are as if they were not there.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.release.commands import az, found
from infra.release.failure import Failed

PARAMETERS = Path(__file__).parents[1] / "main.parameters.json"
PLACE = ("AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID")
WHO = ("AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE")  # of whoever made the environment: here it is a pipeline
SUMMARY = Path(".localcloud/what-if.md")  # kept out of git
TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def names() -> set[str]:
    return {*re.findall(r"\$\{([A-Z_]+)", PARAMETERS.read_text(encoding="utf-8")), *PLACE} - set(WHO)


def environment(outside: Mapping[str, str]) -> dict[str, str]:
    """The process's own environment with the variables in it, and without those that are empty."""
    try:
        together = json.loads(outside.get("VARIABLES") or "{}")
    except ValueError as exc:
        raise Failed(f"VARIABLES is no JSON: {exc}") from exc
    wanted = names()
    given = {name: str(value) for name, value in together.items() if name in wanted}
    own = {name: value for name, value in outside.items() if name not in ("VARIABLES", *WHO)}
    merged = {name: value for name, value in {**given, **own}.items() if value or name not in wanted}
    # An Azure DevOps variable that nobody set stays as it is written: $(NAME).
    settled = {name: value for name, value in merged.items() if value != f"$({name})"}
    missing = [name for name in (*PLACE, "ADF_FACTORIES") if not settled.get(name)]
    if missing:
        raise Failed(f"Not set among the variables of this stage: {', '.join(missing)} (docs/deploy.md).")
    return settled | {"AZURE_PRINCIPAL_TYPE": "ServicePrincipal"}


def preview(outside: Mapping[str, str], say: Callable[[str], None]) -> None:
    """What would change, printed and put where people decide: the summary of the job."""
    printed = TERMINAL.sub("", _azd(outside, "provision", "--preview", "--no-prompt"))
    say(printed)
    page = f"## What would change in {outside['AZURE_ENV_NAME']}\n\n{_fenced(printed.strip())}\n"
    if "GITHUB_STEP_SUMMARY" in outside:
        with Path(outside["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as summary:
            summary.write(page)
    elif "TF_BUILD" in outside:
        SUMMARY.parent.mkdir(exist_ok=True)
        SUMMARY.write_text(page, encoding="utf-8")
        say(f"##vso[task.uploadsummary]{SUMMARY.resolve()}")


def provision(outside: Mapping[str, str], say: Callable[[str], None]) -> None:
    say(TERMINAL.sub("", _azd(outside, "provision", "--no-prompt")))


def _fenced(text: str) -> str:
    """However many backticks the text holds."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 3)
    return f"{fence}\n{text}\n{fence}"


def _azd(outside: Mapping[str, str], *arguments: str) -> str:
    """As az is signed in. The hook writes to the vault at the very end, when a pipeline's own proof of who it is has
    long run out: the token for it is fetched now, and az keeps it for an hour."""
    env = environment(outside)
    az("account", "get-access-token", "--resource", "https://vault.azure.net", "--output", "none")
    _run(["config", "set", "auth.useAzCliAuth", "true"], env)
    return _run([*arguments], env)


def _run(arguments: list[str], env: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - a list of words, no shell
        [found("azd"), *arguments],
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"'azd {' '.join(arguments)}' failed:\n{TERMINAL.sub('', done.stdout).strip()}")
    return done.stdout
