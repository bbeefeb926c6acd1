// Custom roles for the factories of one resource group: the built-in ones hold too little (Reader may not query runs) or
// far too much (Data Factory Contributor may change definitions). What they hold is in factoryRoles.json.

param token string
param readerPrincipals string[]

var actions = loadJsonContent('../factoryRoles.json')
var group = resourceGroup().id

resource reader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(toLower(group), token, 'reader')
  properties: {
    roleName: 'ADF operations reader ${token} ${uniqueString(toLower(group))}'
    description: 'Reads definitions and runs of the factories in this resource group'
    type: 'CustomRole'
    assignableScopes: [
      group
    ]
    permissions: [
      {
        actions: actions.reader
        notActions: []
      }
    ]
  }
}

resource operator 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(toLower(group), token, 'operator')
  properties: {
    roleName: 'ADF operations operator ${token} ${uniqueString(toLower(group))}'
    description: 'Starts, cancels and reruns pipelines and switches triggers; changes no definition'
    type: 'CustomRole'
    assignableScopes: [
      group
    ]
    permissions: [
      {
        actions: actions.operator
        notActions: []
      }
    ]
  }
}

resource logReader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(toLower(group), token, 'activity log')
  properties: {
    roleName: 'ADF operations log reader ${token} ${uniqueString(toLower(group))}'
    description: 'Reads the Activity Log of this resource group: who changed, stopped or cancelled what'
    type: 'CustomRole'
    assignableScopes: [
      group
    ]
    permissions: [
      {
        actions: actions.activityLog
        notActions: []
      }
    ]
  }
}

resource readLog 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in readerPrincipals: {
  name: guid(group, principalId, logReader.name)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', logReader.name)
  }
}]
