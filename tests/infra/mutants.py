"""Slips that somebody could make in the templates, each with the words by which a check must tell it.

An entry: (file, what stands there, what would stand there, the check, words of its finding).
"""

from __future__ import annotations

Mutant = tuple[str, str, str, str, str]

MAIN, PARAMETERS = "infra/main.bicep", "infra/main.parameters.json"
DATA, HOST, APP = (
    "infra/modules/dataStorage.bicep",
    "infra/modules/hostStorage.bicep",
    "infra/modules/functionApp.bicep",
)
VAULT, EVENTS, ALERTS = "infra/modules/vault.bicep", "infra/modules/events.bicep", "infra/modules/alerts.bicep"
FOUNDRY, STORES = "infra/modules/foundry.bicep", "infra/modules/foundryStores.bicep"
ROLES, FACTORY = "infra/modules/factoryRoles.bicep", "infra/modules/factoryAccess.bicep"
MONITORING = "infra/modules/monitoring.bicep"
OWN, WORKBOOK, QUERIES = "infra/modules/ownAlerts.bicep", "infra/workbook.json", "infra/queries"

SYNTAX: tuple[Mutant, ...] = (
    (DATA, "name: 'default'", "name: 'default", "syntax", "cannot be read"),
    (MAIN, "scope: group\n", "scope: group {\n", "syntax", "cannot be read"),
    ("infra/storage.json", "[", "(", "json_files", "storage.json"),
    ("host.json", '"version"', "version", "json_files", "host.json"),
    (PARAMETERS, '"contentVersion"', "contentVersion", "json_files", "main.parameters.json"),
)

SYMBOLS: tuple[Mutant, ...] = (
    (MAIN, "location: location\n  tags: tags", "location: locations\n  tags: tags", "names", "'locations' is declared"),
    (VAULT, "principalId: principalId", "principalId: principal", "names", "'principal' is declared nowhere"),
    (MAIN, "toLower(join(", "toLower(joined(", "names", "no function 'joined'"),
    (MAIN, "@minLength(1)", "@minimumLength(1)", "names", "no function 'minimumLength'"),
    (
        MAIN,
        "var alerting = ",
        "var token = !empty(alertsObjectId)\nvar alerting = ",
        "names",
        "'token' is declared twice",
    ),
    (
        VAULT,
        "param token string\n",
        "param token string\nparam prefix string\n",
        "unused",
        "'prefix' is used by nothing",
    ),
    (HOST, "var granted", "var nothing = 1\nvar granted", "unused", "'nothing' is used by nothing"),
    (MAIN, "  dependsOn: [\n    foundryGrants\n", "  dependsOn: [\n    foundryProject\n", "cycles", "needs itself"),
    (MAIN, "size.logDays", "size.logWeeks", "json_keys", "size.logWeeks of 'dev'"),
    (HOST, "roles.storageBlobDataOwner", "roles.storageBlobOwner", "json_keys", "roles.storageBlobOwner is in no"),
    ("infra/stages.json", '"staging"', '"test"', "json_keys", "['dev', 'prod', 'test']"),
    ("infra/stages.json", '"searchReplicas": 2', '"replicas": 2', "json_keys", "size.searchReplicas of 'prod'"),
)

MODULES: tuple[Mutant, ...] = (
    (MAIN, "'modules/vault.bicep'", "'modules/safe.bicep'", "modules", "no module 'modules/safe.bicep'"),
    (MAIN, "'modules/vault.bicep'", "'modules/safe.bicep'", "orphans", "nothing uses"),
    (MAIN, "    days: size.logDays\n", "", "modules", "is not given 'days'"),
    (MAIN, "    days: size.logDays\n", "    days: size.logDays\n    weeks: 1\n", "modules", "takes no 'weeks'"),
    (MAIN, "maximumInstanceCount: 40", "maximumInstanceCount: '40'", "modules", "is int"),
    (MAIN, "    signInAudiences: []", "    signInAudiences: {}", "modules", "is string[]"),
    (
        MAIN,
        "identities.outputs.appClientId\n      FOUNDRY",
        "identities.outputs.appKlientId\n      FOUNDRY",
        "outputs",
        "'appKlientId'",
    ),
    (MAIN, "  name: 'vault'\n  scope: group\n", "  name: 'vault'\n", "modules", "belongs into a resourceGroup"),
    (MAIN, "  name: 'vault'\n", "", "modules", "has no name"),
    (MAIN, "name: 'vault'", "name: 'network'", "deployment_names", "named 'network' too"),
    (
        MAIN,
        "'factoryRoles-${uniqueString(id, token)}'",
        "'factoryRoles'",
        "deployment_names",
        "named 'factoryRoles' too",
    ),
)

SAFETY: tuple[Mutant, ...] = (
    (DATA, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "demands", "allowSharedKeyAccess: false"),
    (HOST, "    allowSharedKeyAccess: false\n", "", "demands", "allowSharedKeyAccess: false"),
    (STORES, "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'", "demands", "'TLS1_2'"),
    (DATA, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true", "demands", "allowBlobPublicAccess: false"),
    (DATA, "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false", "demands", "supportsHttpsTrafficOnly"),
    (DATA, "publicAccess: 'None'", "publicAccess: 'Blob'", "demands", "publicAccess: 'None'"),
    (STORES, "disableLocalAuth: true", "disableLocalAuth: false", "demands", "disableLocalAuth: true"),
    (STORES, "minimalTlsVersion: 'Tls12'", "minimalTlsVersion: 'Tls'", "demands", "'Tls12'"),
    (FOUNDRY, "disableLocalAuth: true", "disableLocalAuth: false", "demands", "disableLocalAuth: true"),
    (FOUNDRY, "authType: 'AAD'", "authType: 'ApiKey'", "demands", "authType: 'AAD'"),
    (MONITORING, "    DisableLocalAuth: true\n", "", "demands", "DisableLocalAuth: true"),
    (MONITORING, "      disableLocalAuth: true\n", "", "demands", "features.disableLocalAuth"),
    (EVENTS, "minimumTlsVersionAllowed: '1.2'", "minimumTlsVersionAllowed: '1.0'", "demands", "'1.2'"),
    (EVENTS, "deadLetterWithResourceIdentity", "deadLetterDestinations", "dead_letters", "cannot be delivered"),
    (VAULT, "enablePurgeProtection: true", "enablePurgeProtection: false", "demands", "enablePurgeProtection"),
    (VAULT, "enableRbacAuthorization: true", "enableRbacAuthorization: false", "demands", "enableRbacAuthorization"),
    (APP, "httpsOnly: true", "httpsOnly: false", "demands", "httpsOnly: true"),
    (APP, "      minTlsVersion: '1.2'", "      minTlsVersion: '1.0'", "demands", "minTlsVersion: '1.2'"),
    (APP, "ftpsState: 'Disabled'", "ftpsState: 'AllAllowed'", "demands", "ftpsState"),
    (APP, "allow: false", "allow: true", "demands", "allow: false"),
    (ALERTS, "useAadAuth: true", "useAadAuth: false", "receivers", "useAadAuth: true"),
    (ALERTS, "useCommonAlertSchema: true", "useCommonAlertSchema: false", "receivers", "useCommonAlertSchema"),
    (ALERTS, "/hooks/alerts/azure-monitor'", "/api/alerts/azure-monitor?code=abc'", "receivers", "holds a key"),
    (
        DATA,
        "allowProtectedAppendWrites: true",
        "allowProtectedAppendWrites: false",
        "immutability",
        "policy of immutability",
    ),
    (HOST, "  parent: blobs\n", "  parent: account\n", "parents", "needs a parent of type"),
    (HOST, "  parent: blobs\n", "  parent: account\n", "companions", "comes without"),
    (HOST, "storageAccounts@2023-05-01", "storageAccounts", "versions", "has no version"),
    (HOST, "storageAccounts@2023-05-01", "storageAccounts@2022-09-01", "versions", "elsewhere"),
    (
        HOST,
        "output id string = account.id",
        "output id string = account.listKeys().keys[0].value",
        "keys",
        "not used here",
    ),
    (MAIN, "join(factoryIds, ',')\n}", "'AccountName=a;AccountKey=b'\n}", "keys", "not used here"),
    (MAIN, "output AZURE_LOCATION string", "output SIGNING_KEY string", "secrets", "SIGNING_KEY"),
    (
        MAIN,
        "param digestAt string = ''",
        "param digestAt string = ''\n@secure()\n@description('x')\nparam hook string = ''",
        "secrets",
        "'hook': secrets go",
    ),
)

RIGHTS: tuple[Mutant, ...] = (
    (
        VAULT,
        "guid(vault.id, principalId, roles.keyVaultSecretsUser)",
        "'grant'",
        "role_assignments",
        "second deployment",
    ),
    (VAULT, "    principalType: 'ServicePrincipal'\n", "", "role_assignments", "what its principal is"),
    (
        VAULT,
        "roles.keyVaultSecretsUser)\n  }",
        "'4633458b-17de-408a-b874-0445c86b69e6')\n  }",
        "guids",
        "GUIDs stand in roles.json",
    ),
    (
        VAULT,
        "roles.keyVaultSecretsUser)\n  }",
        "'4633458b-17de-408a-b874-0445c86b69e6')\n  }",
        "role_assignments",
        "than roles.json",
    ),
    (
        "infra/roles.json",
        "{\n",
        '{\n  "contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",\n',
        "unused_roles",
        "granted to nobody",
    ),
    (
        "infra/factoryRoles.json",
        "factories/pipelines/read",
        "factories/pipelines/write",
        "factory_roles",
        "holds Microsoft.DataFactory",
    ),
    (
        "infra/factoryRoles.json",
        "pipelines/createrun/action",
        "credentials/useSecrets/action",
        "factory_roles",
        "useSecrets",
    ),
    (
        "infra/factoryRoles.json",
        "querytriggers/action",
        "triggers/start/action",
        "factory_roles",
        "which reads nothing",
    ),
)

AGREEMENT: tuple[Mutant, ...] = (
    (MAIN, "  ADF_FACTORIES: join", "  ADF_FACTORY: join", "settings", "no setting 'ADF_FACTORY'"),
    (MAIN, "  ADF_FACTORIES: join", "  ADF_FACTORY: join", "settings", "operator: ADF_FACTORIES"),
    (MAIN, "      FOUNDRY_MODEL: modelName\n", "", "settings", "app: FOUNDRY_MODEL"),
    (MAIN, "  STORAGE__queueServiceUri:", "  STORAGE__queuesServiceUri:", "settings", "STORAGE: give"),
    (MAIN, "  STORAGE__blobServiceUri:", "  STORAGE__blobsServiceUri:", "settings", "nothing would be anchored"),
    (MAIN, "  STORAGE__credential: 'managedidentity'\n", "", "settings", "under which identity"),
    (
        MAIN,
        "'@Microsoft.KeyVault(VaultName=${vault.outputs.name};SecretName=link-signing-key)'",
        "'0123456789'",
        "settings",
        "LINK_SIGNING_KEY is no",
    ),
    (MAIN, "SecretName=link-signing-key", "SecretName=link-key", "vault_secrets", "asks for 'link-key'"),
    (
        "infra/hooks/secrets.sh",
        "make_once callback-signing-key",
        "",
        "vault_secrets",
        "asks for 'callback-signing-key'",
    ),
    (
        APP,
        "  AzureWebJobsStorage__credential: 'managedidentity'\n",
        "",
        "host_settings",
        "'AzureWebJobsStorage__credential'",
    ),
    (APP, "  AZURE_CLIENT_ID:", "  AZURE_CLIENTID:", "host_settings", "knows no setting 'AZURE_CLIENTID'"),
    (
        MAIN,
        "disabledFunctions: functions.operator",
        "disabledFunctions: []",
        "identities",
        "app must have disabledFunctions",
    ),
    (
        MAIN,
        "disabledFunctions: functions.app",
        "disabledFunctions: functions.operator",
        "identities",
        "operator must have",
    ),
    (
        MAIN,
        "identityId: identities.outputs.operatorId",
        "identityId: identities.outputs.appId",
        "identities",
        "operator must have identityId",
    ),
    (
        MAIN,
        "hostStorageName: operatorStorage.",
        "hostStorageName: appStorage.",
        "identities",
        "operator must have hostStorageName",
    ),
    (
        MAIN,
        "    principalId: identities.outputs.operatorPrincipalId",
        "    principalId: identities.outputs.appPrincipalId",
        "identities",
        "of operator alone",
    ),
    (DATA, "names.workQueues, ", "", "storage_names", "names.workQueues is made nowhere"),
    (DATA, "in names.tables:", "in names.operator.tables:", "storage_names", "names.tables is made nowhere"),
    ("infra/storage.json", '"run-requests"', '"run_requests"', "storage_names", "'run_requests' is no name"),
    ("infra/storage.json", '"toolanswers"', '"tool-answers"', "storage_names", "'tool-answers' is no name"),
    (MAIN, "name: 'stapp${token}'", "name: 'st-app-${token}'", "resource_names", "'st-app-"),
    (VAULT, "'kv-${token}'", "'kv-operations-${token}'", "resource_names", "'kv-operations-"),
    (PARAMETERS, '"stage"', '"stages"', "parameters", "has no parameter 'stages'"),
    (PARAMETERS, '"stage"', '"stages"', "parameters", "'stage' is missing"),
    (PARAMETERS, "${STAGE=dev}", "${STAGE=prod}", "parameters", "'stage' is 'prod' here"),
    (PARAMETERS, "${STAGE=dev}", "dev", "parameters", "comes from no variable"),
    (
        MAIN,
        "@description('What the deployer is')\n",
        "",
        "descriptions",
        "'deployerPrincipalType' is described nowhere",
    ),
    ("azure.yaml", "  operator:\n", "  executor:\n", "azd", "['app', 'executor']"),
    ("azure.yaml", "infra/hooks/secrets.sh", "infra/hooks/keys.sh", "azd", "there is no infra/hooks/keys.sh"),
    (MAIN, "output SERVICE_APP_NAME", "output APP_NAME", "azd", "SERVICE_APP_NAME is no output"),
)

ASKED: tuple[Mutant, ...] = (
    (OWN, "alert-bugs.kql", "alert-bug.kql", "texts", "there is no 'alert-bug.kql'"),
    (OWN, "alert-bugs.kql", "alert-queues-slow.kql", "query_files", "is used nowhere"),
    (f"{QUERIES}/queues-age.kql", "// How", "How", "query_files", "must begin"),
    (f"{QUERIES}/queues-age.kql", "// Then: ", "// ", "query_files", "must begin"),
    (f"{QUERIES}/queues-age.kql", "max(Max)", "max(Max", "query_files", "is not closed"),
    (
        f"{QUERIES}/queues-age.kql",
        'messaging.destination.name"',
        "messaging.destination.name",
        "query_files",
        "read at",
    ),
    (f"{QUERIES}/queues-age.kql", "adf_ops.queue.age", "adf_ops.queue.ages", "query_names", "'adf_ops.queue.ages'"),
    (f"{QUERIES}/tools-calls.kql", "gen_ai.tool.name", "gen_ai.tool", "query_names", "tells no 'gen_ai.tool'"),
    (f"{QUERIES}/questions-slowest.kql", "invoke_workflow", "invoke_flow", "query_names", "'invoke_flow question'"),
    (f"{QUERIES}/alert-audit-broken.kql", '"taken"', '"took"', "query_names", "tells no 'took'"),
    (f"{QUERIES}/alert-bugs.kql", "outcome=bug", "outcome=bugs", "query_names", "tells no 'outcome=bugs'"),
    (f"{QUERIES}/alert-bugs.kql", "AppExceptions", "AppTraces", "query_names", "comes into AppExceptions"),
    (f"{QUERIES}/alert-runs-lost.kql", "poison_messages=", "poison=", "query_names", "poison="),
    (f"{QUERIES}/alert-questions-failing.kql", '"expired"', '"late"', "query_names", "tells no 'late'"),
    (
        f"{QUERIES}/alert-functions-silent.kql",
        '    "runs_sweep", 10,\n',
        "",
        "silent_functions",
        "'runs_sweep' is not in",
    ),
    (
        f"{QUERIES}/alert-functions-silent.kql",
        '"watch_all", 10',
        '"runs_serve", 10',
        "silent_functions",
        "'runs_serve' is no timer",
    ),
    (
        f"{QUERIES}/queues-age.kql",
        "bin(TimeGenerated, 15m)",
        "bin(TimeGenerated, 5m)",
        "workbook",
        "not what infra/queries",
    ),
    (WORKBOOK, "| where Name ==", "| where Name !=", "workbook", "stands in no file"),
    (WORKBOOK, '"Notebook/1.0"', '"Notebook/2.0"', "workbook", "is no workbook"),
    (WORKBOOK, '"visualization": "table"', '"visualized": "table"', "workbook", "has no 'visualization'"),
    (WORKBOOK, '"name": "section Queues"', '"name": "section Tools"', "workbook", "two parts"),
    (OWN, "        people.id\n", "        workspaceId\n", "own_alerts", "must tell the people"),
    (
        OWN,
        "    enabled: true\n",
        "    enabled: true\n    webhookReceivers: []\n",
        "own_alerts",
        "must not go to an address",
    ),
    (OWN, "every: 'PT5M'\n    over: 'PT30M'", "every: 'PT45M'\n    over: 'PT30M'", "own_alerts", "'questions-failing'"),
    (OWN, "every: 'PT5M'\n    over: 'PT1H'", "every: 'PT7M'\n    over: 'PT1H'", "own_alerts", "'functions-silent'"),
    (OWN, "    enabled: true\n", "    enabled: false\n", "own_alerts", "'people' is off"),
    (OWN, "    enabled: enabled\n", "    enabled: false\n", "own_alerts", "must be on by a parameter"),
    (OWN, "'GreaterThan'", "'LessThan'", "own_alerts", "tell of the first row"),
    (OWN, "threshold: 0\n", "threshold: 10\n", "own_alerts", "tell of the first row"),
    (OWN, "minFailingPeriodsToAlert: 1", "minFailingPeriodsToAlert: 4", "own_alerts", "tell of the first row"),
    (OWN, "      useCommonAlertSchema: true\n", "", "receivers", "useCommonAlertSchema"),
)

AGAIN: tuple[Mutant, ...] = (
    (MAIN, "uniqueString(subscription().id, environmentName, location)", "newGuid()", "steady", "another one at each"),
    (MAIN, "  stage: stage\n", "  stage: utcNow()\n", "steady", "utcNow() is another one"),
    (VAULT, "'kv-${token}'", "'kv-operations'", "own_names", "'kv-operations' may be the name"),
    (MAIN, "name: 'stapp${token}'", "name: 'stapp${stage}'", "own_names", "another installation's 'account'"),
    (
        "infra/modules/factoryAlerts.bicep",
        "'alert-${factoryName}-health-${token}'",
        "'alert-${factoryName}-health'",
        "own_names",
        "another installation's 'unwell'",
    ),
    ("infra/modules/factoryLogs.bicep", "'adf-operations-${token}'", "'adf-operations'", "own_names", "'logs'"),
    (ROLES, "guid(toLower(group), token, 'reader')", "guid(toLower(group), 'reader')", "own_names", "'reader'"),
    (DATA, "= if (!auditLocked) {", "= {", "locked", "written again where it is locked"),
    (DATA, "= if (!auditLocked) {", "= if (auditLocked) {", "locked", "written again where it is locked"),
)

MUTANTS = (*SYNTAX, *SYMBOLS, *MODULES, *SAFETY, *RIGHTS, *AGREEMENT, *ASKED, *AGAIN)
