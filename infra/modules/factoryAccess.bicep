// Who may do what with one factory: both identities read it, one changes it.

param factoryName string
param token string
param appPrincipalId string
param operatorPrincipalId string

var readerRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(toLower(resourceGroup().id), token, 'reader'))
var operatorRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(toLower(resourceGroup().id), token, 'operator'))

resource factory 'Microsoft.DataFactory/factories@2018-06-01' existing = {
  name: factoryName
}

resource appReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(factory.id, appPrincipalId, readerRole)
  scope: factory
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: readerRole
  }
}

resource operatorReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(factory.id, operatorPrincipalId, readerRole)
  scope: factory
  properties: {
    principalId: operatorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: readerRole
  }
}

resource operatorChanges 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(factory.id, operatorPrincipalId, operatorRole)
  scope: factory
  properties: {
    principalId: operatorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: operatorRole
  }
}
