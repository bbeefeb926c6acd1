#!/usr/bin/env sh
# Before `azd down`, which is refused. Until azd 1.24.1 it deletes every resource group in which a deployment made anything,
# here those of the factories and of an existing project too (Azure/azure-dev, 2916 and 7698); later ones leave roles and
# alerts beside the factories for ever.
set -eu

echo "azd down would leave roles and alerts beside your factories, or (before 1.24.1) delete their groups too: sh infra/remove.sh ${AZURE_ENV_NAME:-ENVIRONMENT}" >&2
exit 1
