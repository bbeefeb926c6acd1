"""How long activities take and how many rows they move, by their type, unless a scenario says otherwise."""

from __future__ import annotations

from localcloud.adf.definitions import Activity

TYPICAL_SECONDS = {
    "Copy": 95.0,
    "Lookup": 9.0,
    "GetMetadata": 7.0,
    "Delete": 6.0,
    "Validation": 5.0,
    "SqlServerStoredProcedure": 40.0,
    "SqlPoolStoredProcedure": 40.0,
    "Script": 22.0,
    "ExecuteDataFlow": 330.0,
    "DatabricksNotebook": 260.0,
    "DatabricksSparkPython": 260.0,
    "SynapseNotebook": 240.0,
    "SparkJob": 200.0,
    "HDInsightSpark": 420.0,
    "HDInsightHive": 420.0,
    "ExecuteSSISPackage": 300.0,
    "Custom": 120.0,
    "AzureFunctionActivity": 12.0,
    "WebActivity": 3.0,
    "WebHook": 45.0,
    "SetVariable": 0.3,
    "AppendVariable": 0.3,
    "Filter": 0.4,
    "Fail": 0.5,
}
OTHERWISE_SECONDS = 30.0
TYPICAL_ROWS = 24_000
TYPICAL_ROUNDS = 4


def typical_seconds(activity: Activity) -> float:
    if activity.type == "Wait":
        seconds = activity.settings.get("waitTimeInSeconds")
        return float(seconds) if isinstance(seconds, int | float) else 30.0
    return TYPICAL_SECONDS.get(activity.type, OTHERWISE_SECONDS)
