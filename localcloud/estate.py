"""The resources around the stand-ins, by the ids that they name one another with."""

from __future__ import annotations

from localcloud.azurite import ACCOUNT

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-adf-ops"
FOUNDRY = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/local"
PROJECT = f"{FOUNDRY}/projects/local"
PROJECT_IDENTITY = "00000000-0000-0000-0000-0000000000f1"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}"
CONNECTIONS = {  # of the standard agent setup: name, type, target
    "own-storage": ("AzureStorageAccount", "https://ownstorage.blob.core.windows.net/"),
    "own-cosmos": ("CosmosDB", "https://own-cosmos.documents.azure.com:443/"),
    "own-search": ("CognitiveSearch", "https://own-search.search.windows.net/"),
}
