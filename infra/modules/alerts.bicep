// Where alerts go: the app's own door for tokens (secure webhook), in the common schema.

param tags object
param token string
param hostName string
param alertsObjectId string
param alertsIdentifierUri string

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'adf-ops'
    webhookReceivers: [
      {
        name: 'adf-operations'
        serviceUri: 'https://${hostName}/hooks/alerts/azure-monitor'
        useCommonAlertSchema: true
        useAadAuth: true
        objectId: alertsObjectId
        identifierUri: alertsIdentifierUri
        tenantId: tenant().tenantId
      }
    ]
  }
}

output actionGroupId string = group.id
