"""az, as far as a release uses it: blobs are files of FAKE_STATE, what is deployed is a line there, calls are noted.

`functionapp deployment source config-zip` reads the version out of the package and writes it to `<app>.version`; an
app named in `refuses` takes none. Words that the real az does not know are refused: it was asked for them (2.91.0).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

STATE = Path(os.environ["FAKE_STATE"])
BLOBS = STATE / "blobs"
PAIRS = ("--resource-group", "--name", "--output", "--query")
LOGIN = ("--container-name", "--account-name", "--auth-mode", "--output")
KNOWN: dict[str, tuple[str, ...]] = {
    "functionapp list": PAIRS,
    "functionapp show": PAIRS,
    "functionapp config appsettings list": PAIRS,
    "functionapp keys list": PAIRS,
    "functionapp function list": PAIRS,
    "functionapp deployment source config-zip": (*PAIRS, "--src", "--build-remote", "--timeout"),
    "storage blob upload": (*LOGIN, "--name", "--file", "--overwrite", "--metadata"),
    "storage blob metadata update": (*LOGIN, "--name", "--metadata"),
    "storage blob list": (*LOGIN, "--include", "--num-results"),
    "storage blob download": (*LOGIN, "--name", "--file"),
    "account get-access-token": ("--resource", "--output"),
}
FLAGS = ("--only-show-errors", "--no-progress")


def main(words: list[str]) -> None:
    with (STATE / "calls").open("a") as calls:
        calls.write(f"{' '.join(words)}\n")
    command, options = parsed(words)
    answer = ANSWERS[command](options)
    if answer is not None:
        sys.stdout.write(answer if isinstance(answer, str) else json.dumps(answer))


def parsed(words: list[str]) -> tuple[str, dict[str, str]]:
    command = max((known for known in KNOWN if " ".join(words).startswith(f"{known} ")), key=len, default="")
    if not command:
        sys.exit(f"az knows no {' '.join(words[:4])}")
    options: dict[str, str] = {}
    name = ""
    for word in words[len(command.split()) :]:
        if word.startswith("--"):
            name = word
            if name not in (*KNOWN[command], *FLAGS):
                sys.exit(f"'{command}' knows no {name}")
            options[name] = ""
        else:
            options[name] = f"{options[name]} {word}".strip()
    return command, options


def apps() -> list[dict[str, Any]]:
    if not (STATE / "apps.json").exists():
        sys.exit("(ResourceGroupNotFound) Resource group 'rg-team' could not be found.")
    listed: list[dict[str, Any]] = json.loads((STATE / "apps.json").read_text())
    return listed


def shown(options: dict[str, str]) -> dict[str, Any]:
    """As az tells an app on a Flex Consumption plan: what is its own is below `properties`."""
    runtime = {"name": "python", "version": (STATE / "python").read_text()}
    properties = {"defaultHostName": "func-x.example", "functionAppConfig": {"runtime": runtime}}
    return {"name": options["--name"], "properties": properties}


def deployed(options: dict[str, str]) -> None:
    name = options["--name"]
    assert options["--build-remote"] == "false"
    with ZipFile(options["--src"]) as package:
        version = package.read("core/build.txt").decode().strip()
    if name in (STATE / "refuses").read_text().split():
        sys.exit(f"Deployment of {name} was refused")
    (STATE / f"{name}.version").write_text(f"0.1.0-{version}")


def functions(options: dict[str, str]) -> list[dict[str, str]]:
    if (STATE / "busy").exists():
        (STATE / "busy").unlink()
        sys.exit("(GatewayTimeout) The gateway did not receive a response.")
    name = options["--name"]
    version = STATE / f"{name}.version"
    loads = version.exists() and "unloadable" not in version.read_text()
    return [{"name": f"{name}/actions_execute"}] if loads else []


def uploaded(options: dict[str, str]) -> None:
    assert options["--auth-mode"] == "login"
    assert options["--overwrite"] == "true"
    shutil.copy(options["--file"], BLOBS / options["--name"])
    metadata_of(options)


def metadata_of(options: dict[str, str]) -> None:
    pairs = dict(pair.split("=", 1) for pair in options["--metadata"].split())
    (BLOBS / f"{options['--name']}.metadata").write_text(json.dumps(pairs))


def listed(options: dict[str, str]) -> list[dict[str, Any]]:
    assert options["--include"] == "m"
    if (STATE / "forbidden").exists():
        (STATE / "forbidden").unlink()
        sys.exit("AuthorizationPermissionMismatch")
    found = sorted(BLOBS.glob("*.zip"))
    return [{"name": each.name, "metadata": json.loads(Path(f"{each}.metadata").read_text())} for each in found]


def settings(options: dict[str, str]) -> list[dict[str, str]]:
    del options
    return [{"name": "STORAGE__blobServiceUri", "value": "https://stdata.blob.core.windows.net/"}]


def key(options: dict[str, str]) -> str:
    del options
    return (STATE / "key").read_text()


ANSWERS: dict[str, Callable[[dict[str, str]], Any]] = {
    "functionapp list": lambda options: apps(),
    "functionapp show": shown,
    "functionapp config appsettings list": settings,
    "functionapp keys list": key,
    "functionapp function list": functions,
    "functionapp deployment source config-zip": deployed,
    "storage blob upload": uploaded,
    "storage blob metadata update": metadata_of,
    "storage blob list": listed,
    "storage blob download": lambda options: shutil.copy(BLOBS / options["--name"], options["--file"]) and None,
    "account get-access-token": lambda options: None,
}

if __name__ == "__main__":
    main(sys.argv[1:])
