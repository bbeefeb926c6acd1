"""The pages: what commonly goes wrong in Data Factory and what to do, in our own words."""

from __future__ import annotations

from dataclasses import dataclass

ROOT = "https://learn.microsoft.com/azure/data-factory"


@dataclass(frozen=True)
class Page:
    title: str
    path: str
    text: str

    @property
    def url(self) -> str:
        return f"{ROOT}/{self.path}"


PAGES = (
    Page(
        "Error 2200: a copy activity failed",
        "error-2200-copy",
        "Error 2200 says only that a copy activity ended in failure. The reason stands in the message after the "
        "word ErrorCode, for example SqlFailedToConnect or UserErrorInvalidBlobPath. Read that inner code first. "
        "When the message names the source, look at the source connection; when it names the sink, look at the "
        "sink.",
    ),
    Page(
        "SqlFailedToConnect: the database cannot be reached or refuses the login",
        "sql-failed-to-connect",
        "The copy could not open a connection to SQL Server or Azure SQL. Check in this order: server name and "
        "database name, the firewall (the Azure integration runtime has changing addresses; allow Azure services "
        "or use a private endpoint), the user and its password or the secret in Key Vault, and whether a "
        "serverless database was asleep. A login that fails stays failed: a rerun does not help until the "
        "credential is renewed.",
    ),
    Page(
        "Rerun a pipeline from the failed activity",
        "rerun-pipeline",
        "A failed pipeline run can be run again as a whole, from a chosen activity, or from the failed activity "
        "only. Reruns keep the run group, so that all attempts of one run can be seen together. Parameters are "
        "those of the first run. Before you rerun a load, make sure the sink can take the same rows twice.",
    ),
    Page(
        "Schedule triggers that did not start a run",
        "schedule-trigger-missing-runs",
        "A schedule trigger starts runs only while its runtime state is Started. A publish can stop it for a "
        "moment, and occurrences in that time are not made up. Look at the trigger runs, the start time and the "
        "time zone of the recurrence, and whether the pipeline was removed from the trigger.",
    ),
    Page(
        "Tumbling window triggers: waiting, retries and backfill",
        "tumbling-window-trigger",
        "A tumbling window trigger keeps every window and runs it when its dependencies are done and the "
        "concurrency allows. A window that waits usually waits for an earlier window or for the trigger it depends "
        "on. Failed windows can be rerun one by one, and old windows are filled in after the trigger was stopped.",
    ),
    Page(
        "The self-hosted integration runtime is offline",
        "self-hosted-runtime-offline",
        "Activities on a self-hosted integration runtime wait in the queue or fail when no node is online. Check "
        "that the service runs on the machine, that outbound traffic on port 443 is open, that the machine is not "
        "out of memory or disk, and that the version is not past its end. Two or more nodes keep the runtime "
        "available.",
    ),
    Page(
        "Integration runtime: queueing and concurrent jobs",
        "integration-runtime-queue",
        "A long time in queue means that the integration runtime is full. For a self-hosted runtime raise the "
        "limit of concurrent jobs or add nodes; for the Azure runtime look at the parallel copies and data "
        "integration units asked for. Data flow clusters take minutes to start unless a time to live keeps them "
        "warm.",
    ),
    Page(
        "Throttling: HTTP 429 and too many requests",
        "throttling-429",
        "A source or sink that answers 429 asks for fewer requests. Set retry and retry interval on the activity, "
        "lower the parallel copies and the ForEach batch count, and spread schedules over the hour. Throttling is "
        "transient: the next attempt often succeeds.",
    ),
    Page(
        "Permission denied on storage: 403 and AuthorizationFailure",
        "storage-403",
        "Error 403 from Blob Storage or Data Lake means that the identity is known but not allowed. Give the "
        "managed identity of the factory the role Storage Blob Data Contributor (or Reader) on the container, "
        "check the storage firewall, and remember that a new role takes some minutes to work. A SAS that has "
        "expired gives 403 too.",
    ),
    Page(
        "Column not found and other schema drift",
        "schema-drift",
        "A copy or data flow with a fixed mapping breaks when a column was renamed or removed in the source, or "
        "its type changed. Compare the mapping with the source of today, import the schema again, or allow schema "
        "drift in the data flow. Such a failure is permanent until the mapping or the source is put right.",
    ),
    Page(
        "Deadlocks and lock time-outs in SQL sinks",
        "sql-deadlock-1205",
        "SQL error 1205 means the transaction was chosen as deadlock victim; another try normally succeeds. Give "
        "the activity two or three retries with an interval, write in smaller batches, do not let two pipelines "
        "load the same table at once, and load into a staging table that is merged afterwards.",
    ),
    Page(
        "Notebook and Databricks job failures",
        "notebook-failures",
        "When a notebook activity fails, Data Factory shows only that the job ended in error. The run page address "
        "in the activity output leads to the traceback. Separate failures of your code from failures of the "
        "cluster: a cluster that did not start, lost its driver or met a quota can be tried again.",
    ),
    Page(
        "Expressions that cannot be evaluated",
        "expression-errors",
        "ExpressionEvaluationFailed or InvalidTemplate tells that an expression named a property that is not "
        "there, for example the output of an activity that was skipped. Use the question mark operator for values "
        "that may be missing, and check the spelling and the case of parameters and variables.",
    ),
    Page(
        "Activity time-outs",
        "activity-timeout",
        "An activity that runs longer than its timeout in the policy is cancelled and counted as failed. The "
        "default is 12 hours for most activities. Find out whether the source was slow, the runtime had a queue or "
        "the volume grew, and set a timeout that fits: too long hides a stuck run, too short kills a slow one.",
    ),
    Page(
        "Runs that succeed although an activity failed",
        "error-handling-paths",
        "The state of a pipeline run follows from its last activities. When a failed activity has a path on "
        "failure and that path succeeds, the run counts as succeeded and the failure is hidden. Look into the "
        "activity runs, or end the failure path with a Fail activity.",
    ),
    Page(
        "Monitor runs for longer than 45 days",
        "monitor-retention",
        "Pipeline runs are kept for 45 days. To look further back, send the logs by a diagnostic setting "
        "to a Log Analytics workspace and query the tables of pipeline, activity and trigger runs there. Alerts on "
        "failed runs can be made from metrics without any log.",
    ),
)
