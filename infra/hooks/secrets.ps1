# The same as secrets.sh, for Windows: the keys that sign links and callbacks, each made once and never seen by a template.
$ErrorActionPreference = 'Stop'

function New-SecretOnce([string] $name) {
  $known = az keyvault secret show --vault-name $env:AZURE_KEY_VAULT_NAME --name $name --query id --output tsv 2>&1
  if ($LASTEXITCODE -eq 0) { Write-Host "${name}: there already"; return }
  if ("$known" -notmatch 'SecretNotFound') {
    Write-Error ("${name}: the vault $env:AZURE_KEY_VAULT_NAME cannot be read. Roles take some minutes to be known, and a private " +
      "vault is reached from inside its network only: run infra/hooks/secrets.ps1 again from where it can be. $known")
  }
  $bytes = [byte[]]::new(32)
  [System.Security.Cryptography.RandomNumberGenerator]::Fill($bytes)
  $made = New-TemporaryFile
  try {
    [System.IO.File]::WriteAllText($made.FullName, [Convert]::ToBase64String($bytes))
    az keyvault secret set --vault-name $env:AZURE_KEY_VAULT_NAME --name $name --file $made.FullName --encoding utf-8 --output none
    if ($LASTEXITCODE -ne 0) { Write-Error "${name}: could not be written" }
  } finally { Remove-Item $made }
  Write-Host "${name}: made"
}

function Update-Reference([string] $site) {
  $url = "https://management.azure.com/subscriptions/$env:AZURE_SUBSCRIPTION_ID/resourceGroups/$env:AZURE_RESOURCE_GROUP" +
    "/providers/Microsoft.Web/sites/$site/config/configreferences/appsettings/refresh?api-version=2022-03-01"
  az rest --method post --output none --url $url
  if ($LASTEXITCODE -ne 0) { Write-Error "${site}: its references could not be refreshed" }
}

New-SecretOnce 'link-signing-key'
New-SecretOnce 'callback-signing-key'
Update-Reference $env:SERVICE_APP_NAME
Update-Reference $env:SERVICE_OPERATOR_NAME
