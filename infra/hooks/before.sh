#!/usr/bin/env sh
# Before anything is made: what would fail half an hour later, said in one sentence each. It changes nothing.
set -eu

wrong=0
say() {
  echo "$1" >&2
  wrong=1
}

if [ -z "${ADF_FACTORIES:-}" ]; then
  say "No factory is named: azd env set ADF_FACTORIES <resource id>[,<resource id>…] (az datafactory list --query [].id)."
fi
for id in $(printf '%s' "${ADF_FACTORIES:-}" | tr ',' ' '); do
  case "$id" in
    /subscriptions/*/resourceGroups/*/providers/Microsoft.DataFactory/factories/*)
      if ! az resource show --ids "$id" --query id --output tsv >/dev/null 2>&1; then
        say "$id cannot be read: it is not there, in another tenant (the app works in one), or you may not see it."
      fi ;;
    *) say "'$id' in ADF_FACTORIES is no /subscriptions/…/resourceGroups/…/providers/Microsoft.DataFactory/factories/<name>." ;;
  esac
done

if [ -n "${FOUNDRY_PROJECT_ID:-}" ] && ! az resource show --ids "$FOUNDRY_PROJECT_ID" --query id --output tsv >/dev/null 2>&1; then
  say "FOUNDRY_PROJECT_ID $FOUNDRY_PROJECT_ID cannot be read: give the resource id of a project of this tenant, or leave it empty."
fi

providers="Microsoft.Authorization Microsoft.Insights Microsoft.KeyVault Microsoft.ManagedIdentity Microsoft.OperationalInsights
  Microsoft.Storage Microsoft.Web"
[ -n "${FOUNDRY_PROJECT_ID:-}" ] || providers="$providers Microsoft.CognitiveServices Microsoft.DocumentDB Microsoft.Search"
[ "${PRIVATE_NETWORK:-false}" != true ] || providers="$providers Microsoft.App Microsoft.Network"
[ "${EVENTS:-false}" != true ] || providers="$providers Microsoft.EventGrid"
for provider in $providers; do
  state=$(az provider show --namespace "$provider" --query registrationState --output tsv 2>/dev/null || true)
  if [ "$state" != Registered ]; then
    say "The subscription does not know $provider yet: az provider register --wait --namespace $provider."
  fi
done

location=${AZURE_LOCATION:-}
known=$(az functionapp list-flexconsumption-locations --query "[].name" --output tsv 2>/dev/null || true)
if [ -n "$known" ] && ! printf '%s\n' "$known" | tr -d ' ' | grep -qix "$(printf '%s' "$location" | tr -d ' ')"; then
  say "Flex Consumption is not offered in '$location': azd env set AZURE_LOCATION <one of $(printf '%s' "$known" | tr '\n' ' ')>."
fi

if [ -z "${FOUNDRY_PROJECT_ID:-}" ]; then
  model=${FOUNDRY_MODEL:-gpt-5.2} version=${MODEL_VERSION:-2025-12-11} sku=${MODEL_SKU:-GlobalStandard}
  offered=$(az cognitiveservices model list --location "$location" --output tsv \
    --query "[?model.name=='$model' && model.version=='$version'].model.skus[].name" 2>/dev/null || true)
  if ! printf '%s\n' "$offered" | grep -qx "$sku"; then
    say "Model $model $version is not offered as $sku in '$location': az cognitiveservices model list --location $location, then azd env set FOUNDRY_MODEL, MODEL_VERSION, MODEL_SKU."
  else
    left=$(az cognitiveservices usage list --location "$location" --output tsv \
      --query "[?name.value=='OpenAI.$sku.$model'].[limit, currentValue]" 2>/dev/null || true)
    free=$(printf '%s' "$left" | awk 'NF == 2 { printf "%d", $1 - $2 }')
    case "${STAGE:-dev}" in dev) wanted=50 ;; staging) wanted=100 ;; *) wanted=200 ;; esac
    made=$(az resource list --resource-group "rg-${AZURE_ENV_NAME:-}" --resource-type Microsoft.CognitiveServices/accounts --query "[].id" --output tsv 2>/dev/null || true)
    if [ -n "$free" ] && [ -z "$made" ] && [ "$free" -lt "$wanted" ]; then
      say "The quota of $model ($sku) in '$location' has $free thousand tokens a minute left, and stage ${STAGE:-dev} asks for $wanted: ask for more in the portal (Foundry, Quota), or change modelCapacity in infra/stages.json."
    fi
  fi
fi

exit "$wrong"
