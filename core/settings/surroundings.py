"""Names that the platform, the Functions host and libraries give a meaning; of some the app, or its doctor, reads too.

They are told here so that the page, the templates and their checks know them all.
"""

from __future__ import annotations

from core.settings.setting import Setting

WEBSITE_HOSTNAME = Setting(
    "WEBSITE_HOSTNAME", "platform", "the platform's own name of the app: links point there unless `PUBLIC_URL` is set"
)
WEBSITE_INSTANCE_ID = Setting(
    "WEBSITE_INSTANCE_ID",
    "platform",
    "the instance; where neither it nor a public host name is there, the app is on somebody's own machine, and "
    "callbacks may go to that machine",
)
WEBSITE_AUTH_ENABLED = Setting(
    "WEBSITE_AUTH_ENABLED",
    "platform",
    "`true` where App Service authentication is on; only then is anybody who signed in believed",
    without="nobody can sign in under /ui: switch on App Service authentication.",
    part="persons",
)
IDENTITY_ENDPOINT = Setting(
    "IDENTITY_ENDPOINT", "platform", "where tokens of managed identities are had: without it the doctor is not on Azure"
)
EXECUTOR_OFF = Setting(
    "AzureWebJobs.actions_execute.Disabled",
    "platform",
    "`true` in the app that answers callers: another one, under the operator's identity, changes factories; the doctor "
    "does not look there for the operator's rights",
)
BY_THE_WORKER = Setting(
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
    "platform",
    "`true`: the worker of the Functions host sets telemetry up, and the app never does ([telemetry](telemetry.md))",
)
INSIGHTS = Setting("APPLICATIONINSIGHTS_CONNECTION_STRING", "platform", "where telemetry goes in Azure")
PROXIES = tuple(
    Setting(name, "platform", "a proxy for what the app asks, as everywhere")
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
)
SERVICE_APP_URI = Setting("SERVICE_APP_URI", "outputs", "the address of the app, to which the alerts must point")
APP_IDENTITY_PRINCIPAL_ID = Setting(
    "APP_IDENTITY_PRINCIPAL_ID", "outputs", "the object id of the app's identity, as the commands that mend want it"
)
OPERATOR_IDENTITY_PRINCIPAL_ID = Setting(
    "OPERATOR_IDENTITY_PRINCIPAL_ID",
    "outputs",
    "the object id of the identity that changes factories: where its token cannot be had, its roles are looked up",
)
READ = (
    WEBSITE_HOSTNAME,
    WEBSITE_INSTANCE_ID,
    WEBSITE_AUTH_ENABLED,
    IDENTITY_ENDPOINT,
    EXECUTOR_OFF,
    INSIGHTS,
    BY_THE_WORKER,
    *PROXIES,
)
OUTPUTS = (SERVICE_APP_URI, APP_IDENTITY_PRINCIPAL_ID, OPERATOR_IDENTITY_PRINCIPAL_ID)

# Read by others than us, and needed all the same.
HOST = tuple(
    Setting(name, "host", meaning)
    for name, meaning in (
        (
            "FUNCTIONS_WORKER_RUNTIME",
            "`python`, on your own machine; a Flex Consumption plan holds it in the app's configuration instead, and "
            "refuses it as a setting",
        ),
        ("AzureWebJobsStorage", "the host's own storage, as a connection string: on your own machine"),
        ("AzureWebJobsStorage__blobServiceUri", "the same by identity: its locks, keys and the package"),
        ("AzureWebJobsStorage__queueServiceUri", "the same by identity"),
        ("AzureWebJobsStorage__tableServiceUri", "the same by identity: its own diagnostics"),
        ("AzureWebJobsStorage__credential", "`managedidentity`"),
        ("AzureWebJobsStorage__clientId", "the client id of the user-assigned identity that reaches it"),
        ("STORAGE__credential", "`managedidentity`, for the queue triggers, which the host reads"),
        ("STORAGE__clientId", "the client id of the user-assigned identity that reads the queues"),
        ("AzureWebJobs.<function>.Disabled", "`true` switches one function off in this app"),
        (
            "AZURE_CLIENT_ID",
            "which user-assigned identity the app is, where it has one; read by the Azure Identity library",
        ),
        (
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
            "`ClientId=<client id>;Authorization=AAD`: telemetry is sent by identity, for the resource takes no key",
        ),
        (
            "OTEL_TRACES_SAMPLER",
            "`microsoft.fixed_percentage`: which traces are kept is decided by their ids, in the host and in every "
            "process alike",
        ),
        ("OTEL_TRACES_SAMPLER_ARG", "the share of the traces that is kept, `1.0` for all"),
        (
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
            "libraries that the worker of the Functions host is not to instrument, with commas between them "
            "([telemetry](telemetry.md))",
        ),
        (
            "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID",
            "the client id of the identity by which the platform proves itself to the sign-in application, instead of "
            "a secret",
        ),
    )
)
SETTINGS = (*READ, *OUTPUTS, *HOST)
