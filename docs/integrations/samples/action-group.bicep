// An action group that sends every alert to the app with a token of Entra ID (secure webhook).
param appUrl string // https://<app>.azurewebsites.net
param applicationObjectId string // of the app registration that protects the app
param identifierUri string // its Application ID URI, one of TOKEN_AUDIENCES
param factoryId string

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'data-operations'
  location: 'global'
  properties: {
    groupShortName: 'dataops'
    enabled: true
    webhookReceivers: [
      {
        name: 'operations-agent'
        serviceUri: '${appUrl}/hooks/alerts/azure-monitor'
        useCommonAlertSchema: true
        useAadAuth: true
        objectId: applicationObjectId
        identifierUri: identifierUri
        tenantId: subscription().tenantId
      }
    ]
  }
}

resource failed 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'adf-pipeline-failed'
  location: 'global'
  properties: {
    severity: 2
    enabled: true
    scopes: [factoryId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'failed'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'PipelineFailedRuns'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
          dimensions: [{ name: 'Name', operator: 'Include', values: ['*'] }]
        }
      ]
    }
    actions: [{ actionGroupId: group.id }]
  }
}
