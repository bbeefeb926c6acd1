#!/usr/bin/env sh
# Takes an installation away: first what stands beside the factories and in an existing project, then its own group.
#
#     sh infra/remove.sh ENVIRONMENT      # the name of the azd environment, typed
#
# Not by `azd down`: infra/hooks/down.sh says why.
set -eu
export MSYS_NO_PATHCONV=1 # on Windows resource ids are no paths

# Where azd knows no value it says so on stdout, too.
value() { if found=$(azd env get-value "$1" 2>/dev/null); then printf '%s' "$found"; fi; }

fail() {
  echo "$1" >&2
  exit 1
}

lower() { printf '%s' "$1" | tr '[:upper:]' '[:lower:]'; }

environment=$(value AZURE_ENV_NAME)
[ -n "$environment" ] || fail "There is no azd environment here: azd env select NAME."
[ "${1:-}" = "$environment" ] || fail "This takes '$environment' away with all its records: sh infra/remove.sh $environment. Another one: azd env select."
group=$(value AZURE_RESOURCE_GROUP)
own=$(value AZURE_SUBSCRIPTION_ID)
site=$(value SERVICE_APP_NAME)
token=${site#func-}
[ -n "$group" ] && [ -n "$own" ] && [ -n "$token" ] || fail "azd does not know what it made: azd env refresh, then again."

factories=$(value ADF_FACTORIES | tr ',' ' ')
project=$(value FOUNDRY_PROJECT_ID)
for id in $factories $project; do
  case "$(lower "$id")" in
    */resourcegroups/"$(lower "$group")"/*) fail "$id stands in $group and would be deleted with it: move it to another group first." ;;
  esac
done
if [ "$(az group exists --name "$group" --subscription "$own")" = true ]; then
  tag=$(az group show --name "$group" --subscription "$own" --query 'tags."azd-env-name"' --output tsv)
  [ "$tag" = "$environment" ] || fail "$group has no tag azd-env-name=$environment: it is somebody else's."
fi

# The group goes last: once it is gone nobody knows whose roles these were. So whatever cannot be listed ends it before.
subscriptions=$(for id in "/subscriptions/$own" $factories $project; do printf '%s\n' "$id" | cut -d/ -f3; done | sort -u)
for principal in $(value APP_IDENTITY_PRINCIPAL_ID) $(value OPERATOR_IDENTITY_PRINCIPAL_ID); do
  for subscription in $subscriptions; do
    held=$(az role assignment list --all --assignee "$principal" --subscription "$subscription" --query "[].id" --output tsv)
    for id in $held; do
      az role assignment delete --ids "$id" --subscription "$subscription"
    done
  done
done

groups=$(for id in $factories; do printf '%s\n' "$id" | cut -d/ -f1-5; done | sort -u)
for scope in $groups; do
  subscription=$(printf '%s' "$scope" | cut -d/ -f3)
  beside=$(printf '%s' "$scope" | cut -d/ -f5)
  alerts=$(az resource list --resource-group "$beside" --subscription "$subscription" \
    --query "[?starts_with(name, 'alert-') && ends_with(name, '-$token')].id" --output tsv)
  for id in $alerts; do
    az resource delete --ids "$id" --output none
  done
  roles=$(az role definition list --custom-role-only true --scope "$scope" --subscription "$subscription" \
    --query "[?starts_with(roleName, 'ADF operations ') && contains(roleName, ' $token ')].name" --output tsv)
  for role in $roles; do
    az role definition delete --name "$role" --scope "$scope" --subscription "$subscription"
  done
done
for factory in $factories; do
  settings=$(az monitor diagnostic-settings list --resource "$factory" --query "[?name=='adf-operations-$token'].name" --output tsv)
  for name in $settings; do
    az monitor diagnostic-settings delete --resource "$factory" --name "$name"
  done
done

az group delete --name "$group" --subscription "$own" --yes
echo "Gone. The two applications are still there:"
for client in $(value SIGN_IN_CLIENT_ID) $(value ALERTS_CLIENT_ID); do
  echo "  az ad app delete --id $client"
done
