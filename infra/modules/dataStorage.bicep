// The app's own records: queues of work, tables, the audit container that nobody can change. Names come from
// storage.json, which is made from the code (python -m infra.names).

param location string
param tags object
param name string
param sku string
param publicAccess bool
param auditImmutableDays int
param auditLocked bool
param appPrincipalId string
param operatorPrincipalId string
param projectPrincipalId string
param deployerPrincipalId string
param deployerPrincipalType string

var roles = loadJsonContent('../roles.json')
var names = loadJsonContent('../storage.json')
var queueNames = concat(names.toolInputs, names.toolOutputs, names.workQueues, names.poisonQueues)
var projectQueues = concat(names.toolInputs, names.toolOutputs)

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = {
  parent: account
  name: 'default'
}

@batchSize(20)
resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = [for queue in queueNames: {
  parent: queueService
  name: queue
}]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2023-05-01' = [for table in names.tables: {
  parent: tableService
  name: table
}]

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 14
    }
  }
}

resource audit 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobService
  name: names.auditContainer
  properties: {
    publicAccess: 'None'
  }
}

// Made unlocked: locking it cannot be undone and is left to a person (docs/deploy.md). A locked one takes no second order.
resource auditPolicy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2023-05-01' = if (!auditLocked) {
  parent: audit
  name: 'default'
  properties: {
    allowProtectedAppendWrites: true
    immutabilityPeriodSinceCreationInDays: auditImmutableDays
  }
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobService
  name: names.deadLetterContainer
  properties: {
    publicAccess: 'None'
  }
}

// Packages that were deployed, to go back to (infra/release). Only whoever deploys writes here: an app that could, might
// put another package in the place of a good one.
resource releases 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobService
  name: names.releaseContainer
  properties: {
    publicAccess: 'None'
  }
}

resource deployerReleases 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  name: guid(releases.id, deployerPrincipalId, roles.storageBlobDataContributor)
  scope: releases
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
  }
}

// The host extends how long a message is hidden and moves what fails to the poison queue: more than Message Processor may.
resource appQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, roles.storageQueueDataContributor)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageQueueDataContributor)
  }
}

resource appTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, roles.storageTableDataContributor)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageTableDataContributor)
  }
}

resource appAudit 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(audit.id, appPrincipalId, roles.storageBlobDataContributor)
  scope: audit
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
  }
}

// The operator takes what is to be done, and wakes the healer when it is done; it sees no question and no tool call.
resource operatorActions 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' existing = [for queue in names.operator.queues: {
  parent: queueService
  name: queue
}]

resource operatorWakes 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' existing = [for queue in names.operator.sendsTo: {
  parent: queueService
  name: queue
}]

resource operatorRows 'Microsoft.Storage/storageAccounts/tableServices/tables@2023-05-01' existing = [for table in names.operator.tables: {
  parent: tableService
  name: table
}]

resource operatorQueueGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queue, index) in names.operator.queues: {
  name: guid(account.id, queue, operatorPrincipalId, roles.storageQueueDataContributor)
  scope: operatorActions[index]
  properties: {
    principalId: operatorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageQueueDataContributor)
  }
  dependsOn: [
    queues
  ]
}]

resource operatorSendGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queue, index) in names.operator.sendsTo: {
  name: guid(account.id, queue, operatorPrincipalId, roles.storageQueueDataMessageSender)
  scope: operatorWakes[index]
  properties: {
    principalId: operatorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageQueueDataMessageSender)
  }
  dependsOn: [
    queues
  ]
}]

resource operatorTableGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (table, index) in names.operator.tables: {
  name: guid(account.id, table, operatorPrincipalId, roles.storageTableDataContributor)
  scope: operatorRows[index]
  properties: {
    principalId: operatorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageTableDataContributor)
  }
  dependsOn: [
    tables
  ]
}]

resource operatorAudit 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(audit.id, operatorPrincipalId, roles.storageBlobDataContributor)
  scope: audit
  properties: {
    principalId: operatorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
  }
}

// The agent service writes calls and reads replies. Queue by queue: on the account it could also ask for actions.
resource toolQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' existing = [for queue in projectQueues: {
  parent: queueService
  name: queue
}]

@batchSize(20)
resource projectGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queue, index) in projectQueues: {
  name: guid(account.id, queue, projectPrincipalId, roles.storageQueueDataContributor)
  scope: toolQueues[index]
  properties: {
    principalId: projectPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageQueueDataContributor)
  }
  dependsOn: [
    queues
  ]
}]

output id string = account.id
output name string = account.name
output blobUri string = account.properties.primaryEndpoints.blob
output queueUri string = account.properties.primaryEndpoints.queue
output tableUri string = account.properties.primaryEndpoints.table
output deadLetterContainer string = deadLetters.name
