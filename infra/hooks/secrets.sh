#!/usr/bin/env sh
# After the resources are made: the keys that sign links and callbacks, each made once and never seen by a template.
# A second `azd up` leaves them as they are. AZURE_KEY_VAULT_NAME and the names of the apps are outputs of main.bicep.
set -eu
unset MSYS_NO_PATHCONV # on Windows az is to find the file of mktemp

make_once() {
  if known=$(az keyvault secret show --vault-name "$AZURE_KEY_VAULT_NAME" --name "$1" --query id --output tsv 2>&1); then
    echo "$1: there already"
    return
  fi
  case "$known" in
    *SecretNotFound*) ;;
    *)
      echo "$1: the vault $AZURE_KEY_VAULT_NAME cannot be read. Roles take some minutes to be known, and a private vault is" >&2
      echo "reached from inside its network only: run infra/hooks/secrets.sh again from where it can be. $known" >&2
      exit 1 ;;
  esac
  openssl rand -base64 32 | tr -d '\n' >"$made"
  az keyvault secret set --vault-name "$AZURE_KEY_VAULT_NAME" --name "$1" --file "$made" --encoding utf-8 --output none
  echo "$1: made"
}

# An app that was made before its secrets keeps asking in vain for a day, unless it is told to ask again.
ask_again() {
  az rest --method post --output none --url \
    "https://management.azure.com/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/$AZURE_RESOURCE_GROUP/providers/Microsoft.Web/sites/$1/config/configreferences/appsettings/refresh?api-version=2022-03-01"
}

umask 077
made=$(mktemp)
trap 'rm -f "$made"' EXIT
make_once link-signing-key
make_once callback-signing-key
ask_again "$SERVICE_APP_NAME"
ask_again "$SERVICE_OPERATOR_NAME"
