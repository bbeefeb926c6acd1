// The whole installation, for `azd up`: docs/deploy.md tells the way from nothing to a first diagnosed alert.

targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Name of the environment; names of resources follow from it')
param environmentName string

@minLength(1)
@description('Region of everything that is made here; Flex Consumption, the model and AI Search must be offered there')
param location string

@allowed([
  'dev'
  'staging'
  'prod'
])
@description('Which sizes of stages.json are used')
param stage string = 'dev'

@description('Object id of whoever deploys: may write secrets into the vault. Empty: nobody may, and the vault stays empty')
param deployerPrincipalId string = ''

@allowed([
  'User'
  'ServicePrincipal'
  'Group'
])
@description('What the deployer is')
param deployerPrincipalType string = 'User'

@minLength(1)
@description('Resource ids of the factories, comma separated; they may lie in other groups and subscriptions of this tenant')
param factories string

@description('Resource id of a Foundry project of the standard agent setup that is there already. Empty: one is made')
param foundryProjectId string = ''

@minLength(1)
@description('Model of a new project; of an existing one the name of its deployment')
param modelName string = 'gpt-5.2'

@description('Version of the model of a new project')
param modelVersion string = '2025-12-11'

@description('Kind of the model deployment of a new project')
param modelSku string = 'GlobalStandard'

@allowed([
  '3.11'
  '3.12'
  '3.13'
])
@description('Python of the function apps')
param pythonVersion string = '3.12'

@description('Client id of the application by which people sign in (app roles reader, operator, approver). Empty: nobody can')
param signInClientId string = ''

@description('Client id of the application whose tokens alerts carry. Empty: no action group and no alert is made')
param alertsClientId string = ''

@description('Object id of the same application')
param alertsObjectId string = ''

@description('Application ID URI of the same application')
param alertsIdentifierUri string = ''

@description('Send the logs of the factories to the workspace and raise an alert for each failed run')
param factoryLogs bool = true

@description('E-mail addresses, comma separated, that are told when the app itself is not well; that of a Teams channel is one. Empty: nobody is')
param alertEmails string = ''

@description('Make a topic for events of your own. Only when the app has been deployed once')
param events bool = false

@description('Object ids of the identities that may send events, comma separated')
param eventSenders string = ''

@description('The secrets teams-webhook-url and teams-security-token are in the vault: use them')
param teams bool = false

@description('When the daily digest is sent, such as 07:00. Empty: none is')
param digestAt string = ''

@description('The time zone of that time')
param digestTimezone string = 'UTC'

@description('Where callers reach the app under another name than the platform gives it (gateway, own domain)')
param publicUrl string = ''

@description('The policy of the audit container has been locked: leave it alone')
param auditLocked bool = false

@description('Put the apps into a network of their own, with private endpoints for storage and vault')
param privateNetwork bool = false

@description('Addresses of that network')
param addressPrefix string = '10.60.0.0/22'

var size = loadJsonContent('stages.json')[stage]
var functions = loadJsonContent('functions.json')
var token = uniqueString(subscription().id, environmentName, location)
var groupName = 'rg-${environmentName}'
var tags = {
  'azd-env-name': environmentName
  stage: stage
}
var appName = 'func-${token}'
var operatorName = 'func-operator-${token}'
var dataStorageName = 'stdata${token}'
var storageSuffix = environment().suffixes.storage

var factoryIds = map(split(factories, ','), id => trim(id))
var factoryGroups = union(map(factoryIds, id => toLower(join(take(split(id, '/'), 5), '/'))), [])
var emails = empty(alertEmails) ? [] : map(split(alertEmails, ','), email => trim(email))
var senderIds = empty(eventSenders) ? [] : map(split(eventSenders, ','), id => trim(id))

var newProject = empty(foundryProjectId)
var newProjectId = '/subscriptions/${subscription().subscriptionId}/resourceGroups/${groupName}/providers/Microsoft.CognitiveServices/accounts/aif-${token}/projects/adf-operations'
var projectParts = split(newProject ? newProjectId : foundryProjectId, '/')
var alerting = !empty(alertsClientId)

// The agent service of a new project comes from outside: its queues can be closed only where the project has a network.
var dataIsPublic = !privateNetwork || newProject

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: groupName
  location: location
  tags: tags
}

module identities 'modules/identities.bicep' = {
  name: 'identities'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    days: size.logDays
    dailyGb: size.logDailyGb
    writers: [
      identities.outputs.appPrincipalId
      identities.outputs.operatorPrincipalId
    ]
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    publicAccess: !privateNetwork
    readers: [
      identities.outputs.appPrincipalId
      identities.outputs.operatorPrincipalId
    ]
    deployerPrincipalId: deployerPrincipalId
    deployerPrincipalType: deployerPrincipalType
  }
}

module foundryStores 'modules/foundryStores.bicep' = if (newProject) {
  name: 'foundryStores'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    storageSku: size.storageSku
    searchReplicas: size.searchReplicas
  }
}

module foundry 'modules/foundry.bicep' = if (newProject) {
  name: 'foundry'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    modelName: modelName
    modelVersion: modelVersion
    modelSku: modelSku
    modelCapacity: size.modelCapacity
    storageName: foundryStores.outputs.storageName
    cosmosName: foundryStores.outputs.cosmosName
    searchName: foundryStores.outputs.searchName
  }
}

module foundryGrants 'modules/foundryGrants.bicep' = if (newProject) {
  name: 'foundryGrants'
  scope: group
  params: {
    storageName: foundryStores.outputs.storageName
    cosmosName: foundryStores.outputs.cosmosName
    searchName: foundryStores.outputs.searchName
    projectPrincipalId: foundry.outputs.projectPrincipalId
  }
}

module foundryHost 'modules/foundryHost.bicep' = if (newProject) {
  name: 'foundryHost'
  scope: group
  params: {
    accountName: foundry.outputs.accountName
    projectName: foundry.outputs.projectName
    projectPrincipalId: foundry.outputs.projectPrincipalId
    projectWorkspace: foundry.outputs.projectWorkspace
    storageName: foundryStores.outputs.storageName
    cosmosName: foundryStores.outputs.cosmosName
    searchName: foundryStores.outputs.searchName
  }
  dependsOn: [
    foundryGrants
  ]
}

module foundryProject 'modules/foundryProject.bicep' = {
  name: 'foundryProject-${token}'
  scope: resourceGroup(projectParts[2], projectParts[4])
  params: {
    accountName: projectParts[8]
    projectName: projectParts[10]
    appPrincipalId: identities.outputs.appPrincipalId
  }
  dependsOn: [
    foundryHost
  ]
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    addressPrefix: addressPrefix
  }
}

module dataStorage 'modules/dataStorage.bicep' = {
  name: 'dataStorage'
  scope: group
  params: {
    location: location
    tags: tags
    name: dataStorageName
    sku: size.storageSku
    publicAccess: dataIsPublic
    auditImmutableDays: size.auditImmutableDays
    auditLocked: auditLocked
    appPrincipalId: identities.outputs.appPrincipalId
    operatorPrincipalId: identities.outputs.operatorPrincipalId
    projectPrincipalId: foundryProject.outputs.principalId
    deployerPrincipalId: deployerPrincipalId
    deployerPrincipalType: deployerPrincipalType
  }
}

module appStorage 'modules/hostStorage.bicep' = {
  name: 'appStorage'
  scope: group
  params: {
    location: location
    tags: tags
    name: 'stapp${token}'
    sku: size.storageSku
    publicAccess: !privateNetwork
    principalId: identities.outputs.appPrincipalId
  }
}

module operatorStorage 'modules/hostStorage.bicep' = {
  name: 'operatorStorage'
  scope: group
  params: {
    location: location
    tags: tags
    name: 'stop${token}'
    sku: size.storageSku
    publicAccess: !privateNetwork
    principalId: identities.outputs.operatorPrincipalId
  }
}

module privateData 'modules/privateStorage.bicep' = if (privateNetwork) {
  name: 'privateData'
  scope: group
  params: {
    location: location
    tags: tags
    storageName: dataStorage.outputs.name
    storageId: dataStorage.outputs.id
    subnetId: network.outputs.endpointSubnetId
    blobZoneId: network.outputs.blobZoneId
    queueZoneId: network.outputs.queueZoneId
    tableZoneId: network.outputs.tableZoneId
  }
}

module privateApp 'modules/privateStorage.bicep' = if (privateNetwork) {
  name: 'privateApp'
  scope: group
  params: {
    location: location
    tags: tags
    storageName: appStorage.outputs.name
    storageId: appStorage.outputs.id
    subnetId: network.outputs.endpointSubnetId
    blobZoneId: network.outputs.blobZoneId
    queueZoneId: network.outputs.queueZoneId
    tableZoneId: network.outputs.tableZoneId
  }
}

module privateOperator 'modules/privateStorage.bicep' = if (privateNetwork) {
  name: 'privateOperator'
  scope: group
  params: {
    location: location
    tags: tags
    storageName: operatorStorage.outputs.name
    storageId: operatorStorage.outputs.id
    subnetId: network.outputs.endpointSubnetId
    blobZoneId: network.outputs.blobZoneId
    queueZoneId: network.outputs.queueZoneId
    tableZoneId: network.outputs.tableZoneId
  }
}

module privateVault 'modules/privateEndpoint.bicep' = if (privateNetwork) {
  name: 'privateVault'
  scope: group
  params: {
    location: location
    tags: tags
    name: 'pe-${vault.outputs.name}'
    subnetId: network.outputs.endpointSubnetId
    resourceId: vault.outputs.id
    service: 'vault'
    zoneId: network.outputs.vaultZoneId
  }
}

var storageSettings = {
  STORAGE__blobServiceUri: 'https://${dataStorageName}.blob.${storageSuffix}'
  STORAGE__queueServiceUri: 'https://${dataStorageName}.queue.${storageSuffix}'
  STORAGE__tableServiceUri: 'https://${dataStorageName}.table.${storageSuffix}'
  STORAGE__credential: 'managedidentity'
}
var factorySettings = {
  ADF_FACTORIES: join(factoryIds, ',')
}
var teamsSettings = teams ? {
  TEAMS_WEBHOOK_URL: '@Microsoft.KeyVault(VaultName=${vault.outputs.name};SecretName=teams-webhook-url)'
} : {}
var teamsDoorSettings = teams ? {
  TEAMS_SECURITY_TOKEN: '@Microsoft.KeyVault(VaultName=${vault.outputs.name};SecretName=teams-security-token)'
} : {}
var tokenSettings = alerting ? {
  TOKEN_TENANT_ID: tenant().tenantId
  TOKEN_AUDIENCES: '${alertsClientId},${alertsIdentifierUri}'
} : {}
var digestSettings = empty(digestAt) ? {} : {
  DIGEST_AT: digestAt
  DIGEST_TIMEZONE: digestTimezone
}

var addressSettings = empty(publicUrl) ? {} : {
  PUBLIC_URL: publicUrl
}

module app 'modules/functionApp.bicep' = {
  name: 'app'
  scope: group
  params: {
    location: location
    tags: union(tags, {
      'azd-service-name': 'app'
    })
    name: appName
    identityId: identities.outputs.appId
    identityClientId: identities.outputs.appClientId
    hostStorageName: appStorage.outputs.name
    packageUri: appStorage.outputs.packageUri
    insightsConnectionString: monitoring.outputs.connectionString
    pythonVersion: pythonVersion
    instanceMemoryMB: size.instanceMemoryMB
    maximumInstanceCount: size.maximumInstanceCount
    httpConcurrency: size.httpConcurrency
    alwaysReady: size.alwaysReady
    subnetId: privateNetwork ? network.outputs.appSubnetId : ''
    disabledFunctions: functions.operator
    settings: union(storageSettings, factorySettings, teamsSettings, teamsDoorSettings, tokenSettings, digestSettings, addressSettings, {
      STORAGE__clientId: identities.outputs.appClientId
      FOUNDRY_PROJECT_ENDPOINT: foundryProject.outputs.endpoint
      FOUNDRY_MODEL: modelName
      LINK_SIGNING_KEY: '@Microsoft.KeyVault(VaultName=${vault.outputs.name};SecretName=link-signing-key)'
      CALLBACK_SIGNING_KEY: '@Microsoft.KeyVault(VaultName=${vault.outputs.name};SecretName=callback-signing-key)'
    })
    signInClientId: signInClientId
    signInAudiences: alerting ? [
      signInClientId
      alertsClientId
      alertsIdentifierUri
    ] : [
      signInClientId
    ]
  }
  dependsOn: [
    dataStorage
  ]
}

module operator 'modules/functionApp.bicep' = {
  name: 'operator'
  scope: group
  params: {
    location: location
    tags: union(tags, {
      'azd-service-name': 'operator'
    })
    name: operatorName
    identityId: identities.outputs.operatorId
    identityClientId: identities.outputs.operatorClientId
    hostStorageName: operatorStorage.outputs.name
    packageUri: operatorStorage.outputs.packageUri
    insightsConnectionString: monitoring.outputs.connectionString
    pythonVersion: pythonVersion
    instanceMemoryMB: size.instanceMemoryMB
    maximumInstanceCount: 40
    httpConcurrency: 1
    alwaysReady: []
    subnetId: privateNetwork ? network.outputs.operatorSubnetId : ''
    disabledFunctions: functions.app
    settings: union(storageSettings, factorySettings, teamsSettings, {
      STORAGE__clientId: identities.outputs.operatorClientId
      ADF_OPERATOR_CLIENT_ID: identities.outputs.operatorClientId
      PUBLIC_URL: empty(publicUrl) ? 'https://${app.outputs.hostName}' : publicUrl
    })
    signInClientId: ''
    signInAudiences: []
  }
  dependsOn: [
    dataStorage
  ]
}

module factoryRoles 'modules/factoryRoles.bicep' = [for id in factoryGroups: {
  name: 'factoryRoles-${uniqueString(id, token)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    token: token
    readerPrincipals: [
      identities.outputs.appPrincipalId
      identities.outputs.operatorPrincipalId
    ]
  }
}]

module factoryAccess 'modules/factoryAccess.bicep' = [for id in factoryIds: {
  name: 'factoryAccess-${uniqueString(id, token)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    factoryName: last(split(id, '/'))
    token: token
    appPrincipalId: identities.outputs.appPrincipalId
    operatorPrincipalId: identities.outputs.operatorPrincipalId
  }
  dependsOn: [
    factoryRoles
  ]
}]

module factoryLogging 'modules/factoryLogs.bicep' = [for id in factoryIds: if (factoryLogs) {
  name: 'factoryLogs-${uniqueString(id, token)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    factoryName: last(split(id, '/'))
    workspaceId: monitoring.outputs.workspaceId
    token: token
  }
}]

module alerts 'modules/alerts.bicep' = if (alerting) {
  name: 'alerts'
  scope: group
  params: {
    tags: tags
    token: token
    hostName: app.outputs.hostName
    alertsObjectId: alertsObjectId
    alertsIdentifierUri: alertsIdentifierUri
  }
}

module factoryAlerts 'modules/factoryAlerts.bicep' = [for id in factoryIds: if (alerting) {
  name: 'factoryAlerts-${uniqueString(id, token)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    tags: tags
    token: token
    factoryId: id
    actionGroupId: alerts.outputs.actionGroupId
  }
}]

module logAlerts 'modules/logAlerts.bicep' = if (alerting && factoryLogs) {
  name: 'logAlerts'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: alerts.outputs.actionGroupId
  }
  dependsOn: [
    factoryLogging
  ]
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    workspaceId: monitoring.outputs.workspaceId
  }
}

module ownAlerts 'modules/ownAlerts.bicep' = if (!empty(alertEmails)) {
  name: 'ownAlerts'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    workspaceId: monitoring.outputs.workspaceId
    enabled: size.ownAlerts
    emails: emails
  }
}

module eventGrid 'modules/events.bicep' = if (events) {
  name: 'events'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    functionAppName: app.outputs.name
    storageName: dataStorage.outputs.name
    deadLetterContainer: dataStorage.outputs.deadLetterContainer
    senders: senderIds
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output SERVICE_APP_NAME string = app.outputs.name
output SERVICE_APP_URI string = 'https://${app.outputs.hostName}'
output SERVICE_OPERATOR_NAME string = operator.outputs.name
output APP_IDENTITY_CLIENT_ID string = identities.outputs.appClientId
output APP_IDENTITY_PRINCIPAL_ID string = identities.outputs.appPrincipalId
output OPERATOR_IDENTITY_PRINCIPAL_ID string = identities.outputs.operatorPrincipalId
output STORAGE__blobServiceUri string = dataStorage.outputs.blobUri
output STORAGE__queueServiceUri string = dataStorage.outputs.queueUri
output STORAGE__tableServiceUri string = dataStorage.outputs.tableUri
output FOUNDRY_PROJECT_ENDPOINT string = foundryProject.outputs.endpoint
output FOUNDRY_MODEL string = modelName
output ADF_FACTORIES string = join(factoryIds, ',')
output ADF_OPERATOR_CLIENT_ID string = identities.outputs.operatorClientId
output LOG_WORKSPACE_ID string = monitoring.outputs.workspaceId
output WORKBOOK_ID string = workbook.outputs.id
output ACTION_GROUP_ID string = alerting ? alerts.outputs.actionGroupId : ''
output EVENT_TOPIC_ENDPOINT string = events ? eventGrid.outputs.topicEndpoint : ''
