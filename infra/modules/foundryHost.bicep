// The capability host, which makes a project one of the standard agent setup, and what its identity needs in the
// database and the containers that it makes.

param accountName string
param projectName string
param projectPrincipalId string
param projectWorkspace string
param storageName string
param cosmosName string
param searchName string

var roles = loadJsonContent('../roles.json')
var cosmosDataContributor = '00000000-0000-0000-0000-000000000002' // a role of Cosmos DB itself, not of Azure
var workspace = '${substring(projectWorkspace, 0, 8)}-${substring(projectWorkspace, 8, 4)}-${substring(projectWorkspace, 12, 4)}-${substring(projectWorkspace, 16, 4)}-${substring(projectWorkspace, 20, 12)}'
var containers = 'Microsoft.Storage/storageAccounts/blobServices/containers'
var others = [
  '${containers}/blobs/tags/read'
  '${containers}/blobs/filter/action'
  '${containers}/blobs/tags/write'
  '${containers}/blobs/read'
  '${containers}/blobs/write'
  '${containers}/blobs/delete'
  '${containers}/blobs/add/action'
]
var untouched = join(map(others, action => '!(ActionMatches{\'${action}\'})'), ' AND ')
var ofThisProject = '@Resource[${containers}:name] StringStartsWithIgnoreCase \'${workspace}\' AND @Resource[${containers}:name] StringLikeIgnoreCase \'*-azureml-agent\''

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: accountName
}

resource project 'Microsoft.CognitiveServices/accounts/projects@2025-06-01' existing = {
  parent: account
  name: projectName
}

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageName
}

resource cosmos 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' existing = {
  name: cosmosName
}

resource accountHost 'Microsoft.CognitiveServices/accounts/capabilityHosts@2025-06-01' = {
  parent: account
  name: 'agents'
  properties: {
    capabilityHostKind: 'Agents'
  }
}

resource projectHost 'Microsoft.CognitiveServices/accounts/projects/capabilityHosts@2025-06-01' = {
  parent: project
  name: 'agents'
  properties: {
    storageConnections: [
      storageName
    ]
    threadStorageConnections: [
      cosmosName
    ]
    vectorStoreConnections: [
      searchName
    ]
  }
  dependsOn: [
    accountHost
  ]
}

resource containerGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage.id, projectPrincipalId, roles.storageBlobDataOwner, workspace)
  scope: storage
  properties: {
    principalId: projectPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
    conditionVersion: '2.0'
    condition: '((${untouched}) OR (${ofThisProject}))'
  }
  dependsOn: [
    projectHost
  ]
}

resource threadGrant 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = {
  parent: cosmos
  name: guid(cosmos.id, projectPrincipalId, cosmosDataContributor)
  properties: {
    principalId: projectPrincipalId
    roleDefinitionId: '${cosmos.id}/sqlRoleDefinitions/${cosmosDataContributor}'
    scope: '${cosmos.id}/dbs/enterprise_memory'
  }
  dependsOn: [
    projectHost
  ]
}
