// What operators look at: one page over the logs and metrics of the app, made from infra/queries (python -m infra.workbook).

param location string
param tags object
param token string
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspaceId, 'operations')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'ADF operations ${token}'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    serializedData: replace(loadTextContent('../workbook.json'), 'WORKSPACE_ID', workspaceId)
  }
}

output id string = workbook.id
