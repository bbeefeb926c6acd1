"""The agent service: reachable, ours to use, of the standard setup, with the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.doctor.findings import Check, Seen, failed, ok, warning
from orchestrator.doctor.patient import Patient
from orchestrator.doctor.rest import Answer, Listed, Unreachable
from tools_worker.datafactory import fields

CLASSIC, PROJECT, HOSTS = "v1", "v1", "2025-06-01"  # versions of the API of agents, of projects, of capability hosts
FOUNDRY_USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"  # formerly Azure AI User
OWN_RESOURCES = {  # what the standard setup keeps in resources of one's own: types of connections, field of the host
    "storage": (("AzureStorageAccount", "AzureBlob"), "storageConnections"),
    "Cosmos DB": (("CosmosDB",), "threadStorageConnections"),
    "AI Search": (("CognitiveSearch",), "vectorStoreConnections"),
}
REFUSED = (
    'In the basic agent setup the service refuses agents that have queue tools: 400 "Invalid tool value(s): '
    'azure_function". Every question then fails.'
)
MAKE_STANDARD = (
    "Make a project with the standard agent setup (azd up does; docs/deploy.md), or add to this one connections to "
    "storage, Cosmos DB and AI Search, and then: az rest --method put --url "
    '"https://management.azure.com<project resource id>/capabilityHosts/agents?api-version=2025-06-01" --body '
    '\'{"properties": {"capabilityHostKind": "Agents", "storageConnections": ["<name>"], '
    '"threadStorageConnections": ["<name>"], "vectorStoreConnections": ["<name>"]}}\'. '
    "A host cannot be changed: delete a wrong one first."
)


async def reachable(patient: Patient) -> Sequence[Seen]:
    try:
        answer = await _agents(patient)
    except Unreachable as exc:
        mend = (
            "Check FOUNDRY_PROJECT_ENDPOINT (https://<account>.services.ai.azure.com/api/projects/<project>), its name "
            "in DNS, and that the app's network may go there (private endpoint, firewall)."
        )
        return failed(f"The agent service cannot be reached: {exc}.", mend)
    if answer.status >= 500:
        return failed(
            f"The agent service is in trouble: {answer.words}.", "Look at https://status.azure.com; try again."
        )
    return ok("The agent service answers.")


async def listed(patient: Patient) -> Sequence[Seen]:
    answer = await _agents(patient)
    if answer.refused:
        mend = (
            f"az role assignment create --assignee-object-id {patient.app_identity} --role {FOUNDRY_USER} "
            "--assignee-principal-type ServicePrincipal --scope <project resource id>   # Foundry User"
        )
        return failed(f"The agent service refuses the app's identity: {answer.words}.", mend)
    if answer.status == 404:
        return failed(
            f"There is no such project: {answer.words}.",
            "Copy the project endpoint from the project's overview in the Foundry portal to FOUNDRY_PROJECT_ENDPOINT.",
        )
    if answer.status != 200:
        return failed(f"Agents cannot be listed: {answer.words}.", "Check FOUNDRY_API_VERSION; try again in a minute.")
    return ok("Agents can be listed.")


async def _agents(patient: Patient) -> Answer:
    return await patient.project.get("/assistants?limit=1", patient.settings.foundry_api_version or CLASSIC)


async def standard_setup(patient: Patient) -> Sequence[Seen]:
    connections = await patient.project.listed("/connections", PROJECT)
    if connections.refusal:
        return _unread("Connections", connections.refusal)
    types = {fields.text(each, "type") for each in connections.items}
    missing = [what for what, (fitting, _) in OWN_RESOURCES.items() if not types & set(fitting)]
    if missing:
        return failed(f"The project has the basic agent setup: no connection to {', '.join(missing)}.", MAKE_STANDARD)
    return _of_hosts(await _hosts(patient, connections))


async def _hosts(patient: Patient, connections: Listed) -> Listed:
    project = fields.text(connections.items[0], "id").partition("/connections/")[0]
    return await patient.arm.listed(f"{project}/capabilityHosts", HOSTS)


def _of_hosts(hosts: Listed) -> list[Seen]:
    if hosts.refusal:
        return _unread("Its connections are there; capability hosts", hosts.refusal)
    agents = [host for each in hosts.items if _is_for_agents(host := fields.mapping(each, "properties"))]
    if not agents:
        return failed("The project has the basic agent setup: no capability host for agents.", MAKE_STANDARD)
    lacking = [what for what, (_, field) in OWN_RESOURCES.items() if not fields.items(agents[0], field)]
    if lacking:
        return failed(f"The project's capability host names no connection to {', '.join(lacking)}.", MAKE_STANDARD)
    if (state := fields.text(agents[0], "provisioningState")) not in ("", "Succeeded"):
        return failed(f"The project's capability host is {state}.", MAKE_STANDARD)
    return ok("The project has the standard agent setup: own storage, Cosmos DB and AI Search.")


def _is_for_agents(host: Mapping[str, Any]) -> bool:
    return fields.text(host, "capabilityHostKind") in ("", "Agents")


def _unread(what: str, answer: Answer) -> list[Seen]:
    mend = "Give the app's identity Foundry User on the project; or look in the Foundry portal, Management center."
    return warning(f"{what} cannot be read: {answer.words}.", mend)


async def model(patient: Patient) -> Sequence[Seen]:
    wanted = patient.settings.foundry_model
    deployments = await patient.project.listed("/deployments", PROJECT)
    if deployments.refusal:
        return _unread("Deployments", deployments.refusal)
    names = sorted(fields.text(each, "name") for each in deployments.items)
    if wanted not in names:
        mend = (
            "Set FOUNDRY_MODEL to one of these, or: az cognitiveservices account deployment create --name <account> "
            f"--resource-group <group> --deployment-name {wanted} --model-name <model> --model-version <version> "
            "--model-format OpenAI --sku-name GlobalStandard --sku-capacity <thousand tokens a minute>"
        )
        known = ", ".join(names[:10]) or "none"
        return failed(f"There is no model deployment {wanted!r}. There are: {known}.", mend)
    return ok(f"The model deployment {wanted!r} is there.")


CHECKS = (
    Check("foundry_reachable", "Every question is answered there.", reachable, ("foundry",)),
    Check("foundry_agents", "The app makes its agents there and finds them again.", listed, ("foundry",)),
    Check("foundry_standard_setup", REFUSED, standard_setup, ("foundry",)),
    Check("foundry_model", "The agents think with it; without it every question fails.", model, ("foundry",)),
)
