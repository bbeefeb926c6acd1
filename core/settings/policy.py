"""Where the policy is read from. The file itself is read by orchestrator.policy, which looks at it again and again."""

from __future__ import annotations

from core.settings.setting import Setting

POLICY_FILE = Setting(
    "POLICY_FILE",
    "policy",
    "which pipelines matter, who hears of what nobody takes up, and what may be changed by whose leave "
    "([policy](policy.md)); `make policy-check` reads it",
    otherwise="`policy.yaml` beside the app",
    example="/home/site/wwwroot/policy.yaml",
)
SETTINGS = (POLICY_FILE,)
