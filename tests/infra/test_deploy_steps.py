"""The steps of docs/deploy.md, typed one after another into one shell: what each needs, one before it made."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
PART = PAGE[PAGE.index("## The steps") :].split("\n## ")[0]
BLOCKS = re.findall(r"^```bash\n(.*?)^```", PART, re.DOTALL | re.MULTILINE)
FACTORY = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.DataFactory/factories/FACTORY"
OUTPUTS = re.findall(r"^output (\w+)", (ROOT / "infra/main.bicep").read_text(encoding="utf-8"), re.MULTILINE)
REMEMBERING = 'printf "%s %s\\n" "$(basename "$0")" "$*" >>"$CALLS"\n'
AZ = f"""#!/bin/sh
{REMEMBERING}
case "$*" in
  "account show"*) echo s ;;
  "resource show"*) echo {FACTORY} ;;
  "ad app create"*|"ad app show"*|"ad sp show"*) echo an-id ;;
  "functionapp keys list"*) echo the-key ;;
  *immutability-policy\\ show*) echo '"an-etag"' ;;
esac
"""
# What azd keeps is a file, as of the real one; `up` adds what main.bicep puts out. What is not there is told on stdout.
AZD = f"""#!/bin/sh
{REMEMBERING}
kept=.azure/adf-ops-dev/.env
case "$*" in
  "env new adf-ops-dev --location "*" --subscription s") mkdir -p .azure/adf-ops-dev; echo 'AZURE_ENV_NAME="adf-ops-dev"' >"$kept" ;;
  "env set "*) printf '%s="%s"\\n' "$3" "$4" >>"$kept" ;;
  "env get-value "*) grep "^$3=" "$kept" | cut -d= -f2- | tr -d '"' | grep . || {{ echo "ERROR: key not found"; exit 1; }} ;;
  up) for name in {" ".join(OUTPUTS)}; do
    case $name in *ServiceUri) value=https://x.example.net ;; SERVICE_APP_URI) value=https://func.example.net ;; *) value=$name ;; esac
    grep -q "^$name=" "$kept" || printf '%s="%s"\\n' "$name" "$value" >>"$kept"
  done ;;
  "auth login") ;;
  *) echo "unknown: $*" >&2; exit 2 ;;
esac
"""  # noqa: E501
CURL = f"#!/bin/sh\n{REMEMBERING}"


@pytest.fixture
def calls(tmp_path: Path) -> list[str]:
    shutil.copytree(ROOT / "infra/applications", tmp_path / "infra/applications")
    for name, text in {"az": AZ, "azd": AZD, "curl": CURL}.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    env = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}
    command = ["bash", "-euo", "pipefail", "-c", "\n".join(BLOCKS)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return (tmp_path / "calls").read_text().splitlines()


def place(calls: list[str], words: str) -> int:
    found = [index for index, call in enumerate(calls) if words in call]
    assert found, f"nobody calls {words!r}"
    return found[0]


def test_the_environment_is_there_before_it_is_filled_and_filled_before_it_is_deployed(calls: list[str]) -> None:
    order = [
        "azd auth login",
        "azd env new adf-ops-dev --location swedencentral --subscription s",
        f"azd env set ADF_FACTORIES {FACTORY}",
        "azd env set STAGE dev",
        "azd env set ALERTS_CLIENT_ID an-id",
        "azd up",
        "--web-redirect-uris https://func.example.net/.auth/login/aad/callback",
        "curl",
    ]
    places = [place(calls, words) for words in order]
    assert places == sorted(places)


def test_the_app_is_asked_with_its_key_at_its_address(calls: list[str]) -> None:
    asked = [call for call in calls if call.startswith("curl ")]
    assert [call.split("https://func.example.net")[-1] for call in asked] == [
        "/api/health?deep=true",
        "/api/ask",
        "/api/incidents",
    ]
    assert all("--header x-functions-key: the-key " in call for call in asked)


def test_the_policy_of_the_audit_trail_is_locked_as_it_was_seen(calls: list[str]) -> None:
    lock = calls[place(calls, "immutability-policy lock")]
    assert '--account-name x --container-name audit --if-match "an-etag"' in lock
    assert place(calls, "azd env set AUDIT_LOCKED true") > place(calls, "immutability-policy lock")
