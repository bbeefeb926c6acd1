#!/usr/bin/env sh
# Before `azd down`, which is refused: it deletes every resource group in which a deployment made anything, and here those
# of the factories and of an existing project are among them (Azure/azure-dev, issue 2916).
set -eu

echo "azd down would delete the resource groups of your factories too: sh infra/remove.sh ${AZURE_ENV_NAME:-ENVIRONMENT}" >&2
exit 1
