// Events of a topic, delivered to the app's Event Grid function: its handshake is the platform's.
param topicName string
param functionAppName string

resource topic 'Microsoft.EventGrid/topics@2022-06-15' existing = { name: topicName }

resource events 'Microsoft.EventGrid/topics/eventSubscriptions@2022-06-15' = {
  parent: topic
  name: 'operations-agent'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: resourceId('Microsoft.Web/sites/functions', functionAppName, 'alerts_event')
        maxEventsPerBatch: 1
      }
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
  }
}
