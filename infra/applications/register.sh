#!/usr/bin/env sh
# The two applications of Microsoft Entra ID that plain Bicep cannot make: by one people sign in, for the other alerts carry
# tokens. Run it in the checkout before the first `azd up`, and once more after it; it makes what is missing, no more.
#
#     sh infra/applications/register.sh
#
# Whoever runs it may register applications; the right to send is given to Azure Monitor by an administrator (Cloud
# Application Administrator). Everything it finds out is kept in the azd environment.
set -eu

here=$(dirname "$0")
azns=461e8683-5575-4561-ac7f-899cc907d62a # "AzNS AAD Webhook": Azure Monitor's action groups
role=6f0c7a52-3a3e-4d6c-9a0b-0c1f5a7f3b11 # of alerts.json

# Where azd knows no value it says so on stdout, too.
value() { if found=$(azd env get-value "$1" 2>/dev/null); then printf '%s' "$found"; fi; }

environment=$(value AZURE_ENV_NAME)
if [ -z "$environment" ]; then
  echo "There is no azd environment yet: begin with 'azd env new NAME'." >&2
  exit 1
fi

# application NAME ROLES OPTIONS…: its client id, made where no application of that name is there
application() {
  name=$1 roles=$2
  shift 2
  found=$(az ad app list --filter "displayName eq '$name'" --query "[].appId" --output tsv)
  case $(printf '%s' "$found" | grep -c .) in
    0) az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --app-roles "@$here/$roles" \
         --query appId --output tsv "$@" ;;
    1) printf '%s\n' "$found" ;;
    *) echo "There are several applications named '$name': say which by azd env set, or rename the others." >&2
       return 1 ;;
  esac
}

# principal CLIENT_ID: the object id of its service principal in this tenant, made where it is missing
principal() {
  az ad sp show --id "$1" --query id --output tsv 2>/dev/null || az ad sp create --id "$1" --query id --output tsv
}

people=$(value SIGN_IN_CLIENT_ID)
if [ -z "$people" ]; then
  people=$(application "ADF operations $environment" people.json --enable-id-token-issuance true)
  azd env set SIGN_IN_CLIENT_ID "$people"
fi
principal "$people" >/dev/null

alerts=$(value ALERTS_CLIENT_ID)
if [ -z "$alerts" ]; then
  alerts=$(application "ADF operations $environment alerts" alerts.json)
  object=$(az ad app show --id "$alerts" --query id --output tsv)
  az ad app update --id "$alerts" --identifier-uris "api://$alerts"
  az rest --method patch --url "https://graph.microsoft.com/v1.0/applications/$object" \
    --body '{"api":{"requestedAccessTokenVersion":2}}' # the app accepts tokens of version 2 only
  azd env set ALERTS_OBJECT_ID "$object"
  azd env set ALERTS_IDENTIFIER_URI "api://$alerts"
  azd env set ALERTS_CLIENT_ID "$alerts"
fi
receiver=$(principal "$alerts")
sender=$(principal "$azns")
held=$(az rest --method get --url "https://graph.microsoft.com/v1.0/servicePrincipals/$sender/appRoleAssignments" \
  --query "value[?resourceId=='$receiver'].appRoleId" --output tsv)
right="https://graph.microsoft.com/v1.0/servicePrincipals/$sender/appRoleAssignments"
given="{\"principalId\":\"$sender\",\"resourceId\":\"$receiver\",\"appRoleId\":\"$role\"}"
denied=0
if [ "$held" != "$role" ] && ! az rest --method post --output none --url "$right" --body "$given"; then
  denied=1
  echo "Azure Monitor may not send alerts yet: a Cloud Application Administrator has to run this, before or after 'azd up':" >&2
  echo "  az rest --method post --url $right --body '$given'" >&2
fi

site=$(value SERVICE_APP_URI)
if [ -z "$site" ]; then
  echo "Now run 'azd up', then this once more: where people sign in is known only then."
  exit "$denied"
fi
az ad app update --id "$people" --web-redirect-uris "$site/.auth/login/aad/callback"
if [ -z "$(az ad app federated-credential list --id "$people" --query "[?name=='app-identity'].name" --output tsv)" ]; then
  az ad app federated-credential create --id "$people" --output none --parameters "{\"name\":\"app-identity\",
    \"issuer\":\"https://login.microsoftonline.com/$(value AZURE_TENANT_ID)/v2.0\",
    \"subject\":\"$(value APP_IDENTITY_PRINCIPAL_ID)\",\"audiences\":[\"api://AzureADTokenExchange\"]}"
fi
echo "People can sign in at $site/ui/me once somebody has given them a role (docs/deploy.md)."
exit "$denied"
