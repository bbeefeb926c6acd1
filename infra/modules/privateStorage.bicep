// Private endpoints for the three services of one storage account.

param location string
param tags object
param storageName string
param storageId string
param subnetId string
param blobZoneId string
param queueZoneId string
param tableZoneId string

var services = [
  {
    service: 'blob'
    zoneId: blobZoneId
  }
  {
    service: 'queue'
    zoneId: queueZoneId
  }
  {
    service: 'table'
    zoneId: tableZoneId
  }
]

module endpoints 'privateEndpoint.bicep' = [for each in services: {
  name: 'endpoint-${storageName}-${each.service}'
  params: {
    location: location
    tags: tags
    name: 'pe-${storageName}-${each.service}'
    subnetId: subnetId
    resourceId: storageId
    service: each.service
    zoneId: each.zoneId
  }
}]
