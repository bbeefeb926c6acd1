// Alerts on the app itself, to people. Not to its own intake: an app that is not well would be asked to look at itself,
// and each failure to take such an alert in would be another one.

param location string
param tags object
param token string
param workspaceId string
param enabled bool
param emails string[]

var watched = [
  {
    name: 'functions-silent'
    query: loadTextContent('../queries/alert-functions-silent.kql')
    severity: 1
    every: 'PT5M'
    over: 'PT1H'
  }
  {
    name: 'questions-failing'
    query: loadTextContent('../queries/alert-questions-failing.kql')
    severity: 1
    every: 'PT5M'
    over: 'PT30M'
  }
  {
    name: 'audit-broken'
    query: loadTextContent('../queries/alert-audit-broken.kql')
    severity: 1
    every: 'PT15M'
    over: 'PT30M'
  }
  {
    name: 'actions-unknown'
    query: loadTextContent('../queries/alert-actions-unknown.kql')
    severity: 1
    every: 'PT15M'
    over: 'PT30M'
  }
  {
    name: 'audit-waiting'
    query: loadTextContent('../queries/alert-audit-waiting.kql')
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
  }
  {
    name: 'intake-failing'
    query: loadTextContent('../queries/alert-intake-failing.kql')
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
  }
  {
    name: 'messages-poisoned'
    query: loadTextContent('../queries/alert-messages-poisoned.kql')
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
  }
  {
    name: 'queues-slow'
    query: loadTextContent('../queries/alert-queues-slow.kql')
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
  }
  {
    name: 'runs-lost'
    query: loadTextContent('../queries/alert-runs-lost.kql')
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
  }
  {
    name: 'upstreams-left-alone'
    query: loadTextContent('../queries/alert-upstreams-left-alone.kql')
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
  }
  {
    name: 'bugs'
    query: loadTextContent('../queries/alert-bugs.kql')
    severity: 3
    every: 'PT15M'
    over: 'PT30M'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-people-${token}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'adf-people'
    emailReceivers: [for (email, index) in emails: {
      name: 'person-${index}'
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = [for alert in watched: {
  name: 'alert-app-${alert.name}-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'ADF operations: ${alert.name}'
    description: 'docs/operations.md, "When an alert comes", has a line for ${alert.name}'
    enabled: enabled
    severity: alert.severity
    scopes: [
      workspaceId
    ]
    evaluationFrequency: alert.every
    windowSize: alert.over
    autoMitigate: true
    skipQueryValidation: true // tables are made by the first line that arrives
    criteria: {
      allOf: [
        {
          query: alert.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            minFailingPeriodsToAlert: 1
            numberOfEvaluationPeriods: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}]
