"""Data Factory: reads, the Activity Log, rights of the operator, alerts."""

from __future__ import annotations

from localcloud.adf.surroundings import QUEUE_CONTRIBUTOR
from localcloud.estate import PROJECT, STORAGE
from orchestrator.doctor.checks.roles import SENDER
from tests.orchestrator.doctor.breakages.breaking import (
    CALL,
    FACTORIES,
    OPERATES_ELSEWHERE,
    READ_BY,
    ROLE,
    STOP,
    Breakage,
    adf,
    changed,
    forbidden,
    gone,
    read_refused,
    role,
    stopped,
    without,
)
from tests.orchestrator.doctor.world import (
    OPERATES,
    OPERATOR,
    OPERATOR_ID,
    OPERATOR_ROLE,
)

FACTORY_BREAKAGES = (
    *(read_refused(check, operation) for check, operation in READ_BY.items()),
    Breakage(
        "listing factories is refused", "adf_factories", "failed", "403", forbidden("factories_list"), "factories/read"
    ),
    Breakage("Data Factory is stopped", "adf_factories", "failed", "cannot be reached", stopped("adf"), "ADF_ENDPOINT"),
    Breakage(
        "Data Factory is in trouble",
        "adf_pipelines",
        "failed",
        "503",
        adf("/_faults", kind="status", status=503, operation="pipelines_list_by_factory"),
    ),
    Breakage(
        "the app itself may not rerun",
        "operator_rights",
        "warning",
        "pipelines/createrun/action",
        without(f"{FACTORIES}/pipelines/createrun/action"),
        "operator role",
    ),
    Breakage(
        "the operator may not stop triggers",
        "operator_rights",
        "failed",
        "operator's identity may not: triggers/stop/action",
        without(f"{FACTORIES}/triggers/stop/action"),
        "operator role",
        env=OPERATOR,
    ),
    Breakage(
        "the operator lost its role in one factory",
        "operator_rights",
        "failed",
        r"operator's identity may not: pipelines/createrun/action, .* \(adf-dev\)",
        gone(OPERATES["adf-dev"]),
        f"--assignee-object-id {OPERATOR_ID} .*operator role",
        env=OPERATES_ELSEWHERE,
    ),
    Breakage(
        "the operator's role holds less",
        "operator_rights",
        "failed",
        "operator's identity may not: triggers/stop/action",
        changed(OPERATOR_ROLE, permissions=[{"actions": [f"{FACTORIES}/*"], "notActions": [STOP]}]),
        "operator role",
        env=OPERATES_ELSEWHERE,
    ),
    Breakage(
        "the operator's role was deleted",
        "operator_rights",
        "skipped",
        "404",
        gone(OPERATOR_ROLE),
        "role assignment list",
        env=OPERATES_ELSEWHERE,
    ),
    Breakage(
        "the operator's roles cannot be read",
        "operator_rights",
        "skipped",
        "403",
        forbidden("factory_role_assignments_list"),
        "role assignment list",
        env=OPERATES_ELSEWHERE,
    ),
    Breakage(
        "rights cannot be read",
        "operator_rights",
        "skipped",
        "403",
        forbidden("permissions_list"),
        "role assignment list",
    ),
    Breakage(
        "the service lost its role",
        "agent_service_roles",
        "failed",
        "48 of the tools' queues",
        gone(ROLE),
        QUEUE_CONTRIBUTOR,
    ),
    Breakage(
        "the service may only send", "agent_service_roles", "failed", "24 of.*output", role(SENDER), QUEUE_CONTRIBUTOR
    ),
    Breakage(
        "the service has its role on one queue",
        "agent_service_roles",
        "failed",
        "47 of",
        role(QUEUE_CONTRIBUTOR, f"{STORAGE}/queueServices/default/queues/{CALL}"),
        QUEUE_CONTRIBUTOR,
    ),
    Breakage(
        "the service has a role of somebody's own",
        "agent_service_roles",
        "warning",
        "unless one of its other roles holds it: 11111111",
        role("11111111-0000-0000-0000-000000000000"),
        QUEUE_CONTRIBUTOR,
    ),
    Breakage(
        "the project is not to be seen", "agent_service_roles", "skipped", "404", gone(PROJECT), "role assignment list"
    ),
    Breakage(
        "roles cannot be read",
        "agent_service_roles",
        "skipped",
        "403",
        forbidden("role_assignments_list"),
        "role assignment list",
    ),
    Breakage(
        "storage is not to be seen",
        "agent_service_roles",
        "skipped",
        "cannot be seen",
        gone(STORAGE),
        "role assignment list",
    ),
    Breakage(
        "a factory is in another tenant",
        "adf_pipeline_runs",
        "failed",
        "in another tenant than the app's identity",
        adf("/_faults", kind="status", status=401, operation="pipeline_runs_query_by_factory"),
        "take the factory out of ADF_FACTORIES",
    ),
    Breakage(
        "the subscription of all factories is in another tenant",
        "adf_factories",
        "failed",
        "in another tenant than the app's identity",
        adf("/_faults", kind="status", status=401, operation="factories_list"),
        "its own tenant only",
    ),
    Breakage(
        "Azure's clock is ten minutes ahead",
        "clocks",
        "failed",
        "(599|60\\d) s behind",
        adf("/_clock", advance_seconds=600),
        "ntp",
        mends=adf("/_reset"),
    ),
    Breakage(
        "Azure's clock is a minute ahead",
        "clocks",
        "warning",
        "(59|6\\d) s behind",
        adf("/_clock", advance_seconds=60),
        "ntp",
        mends=adf("/_reset"),
    ),
)
