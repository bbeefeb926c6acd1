"""The agent service: its project, agents, model and roles."""

from __future__ import annotations

from tests.orchestrator.doctor.breakages.breaking import HOST, Breakage, forbidden, foundry, gone, host, stopped

AGENT_BREAKAGES = (
    Breakage(
        "the agent service is stopped", "foundry_reachable", "failed", "cannot be reached", stopped("foundry"), "DNS"
    ),
    Breakage(
        "the agent service is in trouble", "foundry_reachable", "failed", "500", foundry("/_faults", http_500=True)
    ),
    Breakage(
        "the agent service refuses us",
        "foundry_agents",
        "failed",
        "403",
        foundry("/_faults", http_403=True),
        "53ca6127",
    ),
    Breakage(
        "the project has the basic setup",
        "foundry_standard_setup",
        "failed",
        "storage, Cosmos DB, AI Search",
        foundry("/_project", setup="basic", connections=[]),
        "capabilityHosts",
    ),
    Breakage(
        "a connection is missing",
        "foundry_standard_setup",
        "failed",
        "no connection to Cosmos DB",
        foundry("/_project", connections=["own-storage", "own-search"]),
        "capabilityHosts",
    ),
    Breakage(
        "connections cannot be read",
        "foundry_standard_setup",
        "warning",
        "403",
        foundry("/_faults", http_403={"match": "GET /connections"}),
        "Foundry User",
    ),
    Breakage(
        "there is no capability host",
        "foundry_standard_setup",
        "failed",
        "no capability host",
        gone(HOST),
        "capabilityHosts",
    ),
    Breakage(
        "its host has no storage",
        "foundry_standard_setup",
        "failed",
        "storage",
        host(storageConnections=[]),
        "delete a wrong",
    ),
    Breakage(
        "its host failed",
        "foundry_standard_setup",
        "failed",
        "is Failed",
        host(provisioningState="Failed"),
        "delete a wrong",
    ),
    Breakage(
        "hosts cannot be read",
        "foundry_standard_setup",
        "warning",
        "capability hosts cannot be read",
        forbidden("project_capability_hosts_list"),
        "Foundry User",
    ),
    Breakage(
        "the model is gone",
        "foundry_model",
        "failed",
        "There are: gpt-9",
        foundry("/_project", deployments=["gpt-9"]),
        "FOUNDRY_MODEL",
    ),
    Breakage(
        "deployments cannot be read",
        "foundry_model",
        "warning",
        "403",
        foundry("/_faults", http_403={"match": "GET /deployments"}),
        "Foundry User",
    ),
)
