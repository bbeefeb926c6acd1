// One alert over the logs of all factories: it names the run that failed, which a metric cannot.

param location string
param tags object
param token string
param workspaceId string
param actionGroupId string

var query = 'ADFPipelineRun | where Status == "Failed"'

resource failedRuns 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = {
  name: 'alert-failed-runs-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Failed pipeline runs'
    description: 'Each failed pipeline run, by its id'
    enabled: true
    severity: 2
    scopes: [
      workspaceId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    autoMitigate: false
    skipQueryValidation: true // the table is made by the first log that arrives
    criteria: {
      allOf: [
        {
          query: query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          resourceIdColumn: '_ResourceId'
          dimensions: [
            {
              name: 'PipelineName'
              operator: 'Include'
              values: [
                '*'
              ]
            }
            {
              name: 'RunId'
              operator: 'Include'
              values: [
                '*'
              ]
            }
          ]
          failingPeriods: {
            minFailingPeriodsToAlert: 1
            numberOfEvaluationPeriods: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        actionGroupId
      ]
    }
  }
}
