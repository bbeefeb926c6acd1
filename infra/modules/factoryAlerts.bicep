// Alerts of one factory, beside it: failed pipelines, triggers that did not start them, and Azure's own trouble with it.

param tags object
param token string
param factoryId string
param actionGroupId string

var factoryName = last(split(factoryId, '/'))
var watched = [
  {
    name: 'pipelines'
    metric: 'PipelineFailedRuns'
    severity: 2
    what: 'Pipeline runs failed'
  }
  {
    name: 'triggers'
    metric: 'TriggerFailedRuns'
    severity: 2
    what: 'Trigger runs failed'
  }
]

resource failed 'Microsoft.Insights/metricAlerts@2018-03-01' = [for watch in watched: {
  name: 'alert-${factoryName}-${watch.name}-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: '${watch.what} in ${factoryName}'
    enabled: true
    severity: watch.severity
    scopes: [
      factoryId
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'failed'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.DataFactory/factories'
          metricName: watch.metric
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
          dimensions: [
            {
              name: 'Name'
              operator: 'Include'
              values: [
                '*'
              ]
            }
          ]
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroupId
      }
    ]
  }
}]

resource unwell 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'alert-${factoryName}-health-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Azure says that ${factoryName} is unavailable or degraded'
    enabled: true
    scopes: [
      factoryId
    ]
    condition: {
      allOf: [
        {
          field: 'category'
          equals: 'ResourceHealth'
        }
      ]
    }
    actions: {
      actionGroups: [
        {
          actionGroupId: actionGroupId
        }
      ]
    }
  }
}
