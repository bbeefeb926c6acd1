#!/usr/bin/env sh
# Microsoft's own compiler over the templates, where this machine has one. None is fetched: its releases have no checksum
# that this repository could hold them to, and `make test` checks the templates without it (docs/decisions/0017).
set -eu

if command -v bicep >/dev/null 2>&1; then
  bicep --version
  bicep build infra/main.bicep --stdout >/dev/null
  bicep lint infra/main.bicep
elif command -v az >/dev/null 2>&1 && [ -x "${AZURE_CONFIG_DIR:-$HOME/.azure}/bin/bicep" ]; then
  az bicep version
  az bicep build --file infra/main.bicep --stdout >/dev/null
  az bicep lint --file infra/main.bicep
else
  echo "There is no Bicep compiler here: the templates were not compiled." >&2
fi
