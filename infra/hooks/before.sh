#!/usr/bin/env sh
# Before anything is made: what would fail half an hour later, said in one sentence each. It changes nothing.
set -eu
export MSYS_NO_PATHCONV=1 # on Windows resource ids are no paths

wrong=0
say() {
  echo "$1" >&2
  wrong=1
}

# az has a subscription of its own: everything here is about azd's.
ask() {
  az "$@" --output tsv ${AZURE_SUBSCRIPTION_ID:+--subscription "$AZURE_SUBSCRIPTION_ID"} 2>/dev/null || true
}

plain() {
  printf '%s' "$1" | tr -d ' ' | tr '[:upper:]' '[:lower:]'
}

is_among() {
  printf '%s\n' "$2" | tr -d ' ' | grep -qix "$(plain "$1")"
}

if ! az account show ${AZURE_SUBSCRIPTION_ID:+--subscription "$AZURE_SUBSCRIPTION_ID"} >/dev/null 2>&1; then
  say "az does not see the subscription ${AZURE_SUBSCRIPTION_ID:-} of this environment: az login (with --tenant, where you are in several)."
  exit 1
fi
tenant=$(ask account show --query tenantId)
group="rg-${AZURE_ENV_NAME:-}"
location=${AZURE_LOCATION:-}

subscription_of() {
  printf '%s' "$1" | cut -d/ -f3
}

is_of_another_tenant() {
  theirs=$(az account show --subscription "$(subscription_of "$1")" --query tenantId --output tsv 2>/dev/null || true)
  [ -n "$tenant" ] && [ -n "$theirs" ] && [ "$theirs" != "$tenant" ]
}

if [ -z "${ADF_FACTORIES:-}" ]; then
  say "No factory is named: azd env set ADF_FACTORIES <resource id>[,<resource id>…] (az resource list --resource-type Microsoft.DataFactory/factories --query '[].id')."
fi
elsewhere=""
for id in $(printf '%s' "${ADF_FACTORIES:-}" | tr ',' ' '); do
  case "$id" in
    /subscriptions/*/resourceGroups/*/providers/Microsoft.DataFactory/factories/*)
      if ! az resource show --ids "$id" --query id --output tsv >/dev/null 2>&1; then
        say "$id cannot be read: it is not there, in another tenant (the app works in one), or you may not see it."
      elif is_of_another_tenant "$id"; then
        say "$id is in another tenant than this environment, where the app's identity can have no role: take a subscription of the factory's tenant."
      elif [ "$(subscription_of "$id")" != "${AZURE_SUBSCRIPTION_ID:-$(subscription_of "$id")}" ]; then
        elsewhere="$elsewhere $(subscription_of "$id")"
      fi
      case "$(plain "$id")" in
        */resourcegroups/"$(plain "$group")"/*) say "$id stands in $group, which is this environment's own and goes with it: azd env new <another name>." ;;
      esac ;;
    *) say "'$id' in ADF_FACTORIES is no /subscriptions/…/resourceGroups/…/providers/Microsoft.DataFactory/factories/<name>." ;;
  esac
done

for address in $(printf '%s' "${ALERT_EMAILS:-}" | tr ',' ' '); do
  case "$address" in
    *?@?*.?*) ;;
    *) say "'$address' in ALERT_EMAILS is no e-mail address: azd env set ALERT_EMAILS <address>[,<address>…]." ;;
  esac
done
case "${ALERT_EMAILS:-}" in
  ,* | *,,* | *,) say "ALERT_EMAILS has a comma with no address beside it." ;;
esac

if [ -n "${FOUNDRY_PROJECT_ID:-}" ]; then
  if ! az resource show --ids "$FOUNDRY_PROJECT_ID" --query id --output tsv >/dev/null 2>&1; then
    say "FOUNDRY_PROJECT_ID $FOUNDRY_PROJECT_ID cannot be read: give the resource id of a project of this tenant, or leave it empty."
  elif is_of_another_tenant "$FOUNDRY_PROJECT_ID"; then
    say "FOUNDRY_PROJECT_ID $FOUNDRY_PROJECT_ID is in another tenant than this environment, where the app's identity can have no role."
  fi
fi

providers="Microsoft.Authorization Microsoft.Insights Microsoft.KeyVault Microsoft.ManagedIdentity Microsoft.OperationalInsights
  Microsoft.Storage Microsoft.Web"
regional=""
if [ -z "${FOUNDRY_PROJECT_ID:-}" ]; then
  providers="$providers Microsoft.CognitiveServices Microsoft.DocumentDB Microsoft.Search"
  regional="Microsoft.CognitiveServices/accounts Microsoft.DocumentDB/databaseAccounts Microsoft.Search/searchServices"
fi
[ "${PRIVATE_NETWORK:-false}" != true ] || providers="$providers Microsoft.App Microsoft.Network"
if [ "${EVENTS:-false}" = true ]; then
  providers="$providers Microsoft.EventGrid"
  regional="$regional Microsoft.EventGrid/topics"
fi
for provider in $providers; do
  if [ "$(ask provider show --namespace "$provider" --query registrationState)" != Registered ]; then
    say "The subscription does not know $provider yet: az provider register --wait --namespace $provider."
  fi
done
for other in $(printf '%s' "$elsewhere" | tr ' ' '\n' | sort -u); do  # alerts and logs of a factory are made beside it
  state=$(az provider show --subscription "$other" --namespace Microsoft.Insights --query registrationState --output tsv 2>/dev/null || true)
  if [ "$state" != Registered ]; then
    say "The subscription $other of a factory does not know Microsoft.Insights yet: az provider register --wait --namespace Microsoft.Insights --subscription $other."
  fi
done

for kind in $regional; do
  regions=$(ask provider show --namespace "${kind%%/*}" --query "resourceTypes[?resourceType=='${kind#*/}'].locations[]")
  if [ -n "$regions" ] && ! is_among "$location" "$regions"; then
    say "$kind is not offered in '$location': azd env set AZURE_LOCATION <a region that has it, the model and Flex Consumption>."
  fi
done
known=$(ask functionapp list-flexconsumption-locations --query "[].name")
if [ -n "$known" ] && ! is_among "$location" "$known"; then
  say "Flex Consumption is not offered in '$location': azd env set AZURE_LOCATION <one of $(printf '%s' "$known" | tr '\n' ' ')>."
elif [ -n "$known" ]; then
  python=${PYTHON_VERSION:-3.12}
  versions=$(ask functionapp list-flexconsumption-runtimes --location "$location" --runtime python --query "[].version")
  if [ -n "$versions" ] && ! is_among "$python" "$versions"; then
    say "Python $python is not offered in '$location': azd env set PYTHON_VERSION <one of $(printf '%s' "$versions" | tr '\n' ' ')>."
  fi
fi

# Names follow from the environment's name, the subscription and the region.
found=$(ask group show --name "$group" --query "join('|', [location, tags.\"azd-env-name\" || ''])")
if [ -n "$found" ] && [ "${found#*|}" != "${AZURE_ENV_NAME:-}" ]; then
  say "The resource group $group is there and not of this environment (it has no tag azd-env-name=${AZURE_ENV_NAME:-}): azd env new <another name>."
elif [ -n "$found" ] && [ "$(plain "${found%%|*}")" != "$(plain "$location")" ]; then
  say "This environment was made in '${found%%|*}' and is now to be in '$location': azd env set AZURE_LOCATION ${found%%|*}, or azd env new <another name>."
fi
for vault in $(ask keyvault list-deleted --resource-type vault \
  --query "[?contains(properties.vaultId, '/resourceGroups/$group/') && properties.location=='$(plain "$location")'].name"); do
  say "The vault $vault was deleted and keeps its name for 90 days: az group create --name $group --location '$location' --tags azd-env-name=${AZURE_ENV_NAME:-}, az keyvault recover --name $vault, then again; or azd env new <another name>."
done

state=""
account=$([ -z "$found" ] || ask storage account list --resource-group "$group" --query "[?starts_with(name, 'stdata')].name")
if [ -n "$account" ]; then
  state=$(ask storage container immutability-policy show --account-name "$account" --container-name audit --query state)
fi
if [ "$state" = Locked ] && [ "${AUDIT_LOCKED:-false}" != true ]; then
  say "The policy of the audit trail is locked and takes no second order: azd env set AUDIT_LOCKED true."
elif [ "${AUDIT_LOCKED:-false}" = true ] && { [ -z "$found" ] || [ "$state" = Unlocked ]; }; then
  say "AUDIT_LOCKED is true and no locked policy is there, so that nothing would protect the audit trail: azd env set AUDIT_LOCKED false."
fi

if [ -z "${FOUNDRY_PROJECT_ID:-}" ]; then
  for deleted in $(ask cognitiveservices account list-deleted \
    --query "[?contains(id, '/resourceGroups/$group/') && location=='$(plain "$location")'].name"); do
    say "The Foundry account $deleted was deleted and keeps its name for 48 hours: az cognitiveservices account purge --name $deleted --resource-group $group --location '$location'."
  done
  model=${FOUNDRY_MODEL:-gpt-5.2} version=${MODEL_VERSION:-2025-12-11} sku=${MODEL_SKU:-GlobalStandard}
  offered=$(ask cognitiveservices model list --location "$location" \
    --query "[?model.name=='$model' && model.version=='$version'].model.skus[].name")
  if ! printf '%s\n' "$offered" | grep -qx "$sku"; then
    say "Model $model $version is not offered as $sku in '$location': az cognitiveservices model list --location $location, then azd env set FOUNDRY_MODEL, MODEL_VERSION, MODEL_SKU."
  else
    left=$(ask cognitiveservices usage list --location "$location" \
      --query "[?name.value=='OpenAI.$sku.$model'].[limit, currentValue]")
    free=$(printf '%s' "$left" | awk 'NF == 2 { printf "%d", $1 - $2 }')
    case "${STAGE:-dev}" in dev) wanted=50 ;; staging) wanted=100 ;; *) wanted=200 ;; esac
    made=$(ask resource list --resource-group "$group" --resource-type Microsoft.CognitiveServices/accounts --query "[].id")
    if [ -n "$free" ] && [ -z "$made" ] && [ "$free" -lt "$wanted" ]; then
      say "The quota of $model ($sku) in '$location' has $free thousand tokens a minute left, and stage ${STAGE:-dev} asks for $wanted: ask for more in the portal (Foundry, Quota), or change modelCapacity in infra/stages.json."
    fi
  fi
fi

exit "$wrong"
