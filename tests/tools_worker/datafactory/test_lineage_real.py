"""Lineage of real pipelines against what a reader of their definitions wrote down. `?` is what a run decides."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from tools_worker.datafactory.lineage import UNKNOWN, lineage
from tools_worker.datafactory.models import Dataset, Pipeline

REAL = Path(__file__).resolve().parents[4] / "shared" / "adf"
pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason="the collection of real pipelines is not beside this checkout"
)
LANDED = "datalake/data/lnd/?/"

# File of the definition → activity, mode, dataset, place (empty where the dataset itself is not in the collection).
TOUCHES: dict[str, set[tuple[str, str, str, str]]] = {
    "Azure-DataFactory__MoveFiles": {
        ("GetFileList", "reads", "BinaryDataSource_Folder", ""),
        ("CopyAFile", "reads", "BinaryDataSource_File", ""),
        ("CopyAFile", "writes", "BinaryDataDestination", ""),
        ("DeleteAFile", "deletes", "BinaryDataSource_File", ""),
    },
    "modern-data-wareho__IngestToBronze": {
        (
            "Copy from Anonymized to Bronze",
            "reads",
            "ParkingSensors_Anonymized_CSV",
            "dropzone/anonymized/part-*",
        ),
        ("Copy from Anonymized to Bronze", "writes", "ParkingSensors_Bronze_CSV", "datalake/Bronze/?"),
        ("Delete Anonymized", "deletes", "ParkingSensors_Anonymized_CSV", "dropzone/anonymized"),
    },
    "modern-data-wareho__P_Ingest_MelbParkingData": {
        ("DownloadSensorData", "reads", "Ds_Http_Parking_Bay_Sensors", ""),
        ("DownloadSensorData", "writes", "Ds_AdlsGen2_MelbParkingData", f"{LANDED}MelbParkingSensorData.json"),
        ("DownloadBayData", "reads", "Ds_Http_Parking_Bay", "on-street-parking-bays/exports/json"),
        ("DownloadBayData", "writes", "Ds_AdlsGen2_MelbParkingData", f"{LANDED}MelbParkingBayData.json"),
    },
    "modern-data-wareho__P_Ingest_ParkingData": {
        ("DownloadSensorData", "reads", "Ds_Http_Parking_Sensors", ""),
        ("DownloadSensorData", "writes", "Ds_AdlsGen2_ParkingData", f"{LANDED}ParkingSensorData.json"),
        ("DownloadLocationData", "reads", "Ds_Http_Parking_Locations", ""),
        ("DownloadLocationData", "writes", "Ds_AdlsGen2_ParkingData", f"{LANDED}ParkingLocationData.json"),
    },
    "modern-data-wareho___pipelinename_": {
        ("Copy Ingest Data", "reads", "Ds_Ingest_CSV", ""),
        ("Copy Ingest Data", "writes", "Ds_Egress_Parquet", "saveddata/?.parquet"),
    },
    "Azure-DataFactory__BulkCopyFromS3": {
        ("LookupPartitionList", "reads", "External_Control_Table", "s3_partition_control_table"),
    },
    "Azure-DataFactory__DeltaCopyfromDB_using_ControlTable": {
        ("LookupLastWaterMark", "reads", "External_ControlTable", "?"),
        ("LookupCurrentWaterMark", "reads", "DataSource", ""),
        ("DeltaCopyfromDB", "reads", "DataSource", "?"),
        ("DeltaCopyfromDB", "writes", "DataDestination", ""),
    },
    "bc2adls__Consolidation_OneEntity": {
        ("Lookup Data Manifest", "reads", "dataManifest_dataset", ""),
        ("Lookup entity json", "reads", "entity_dataset", ""),
        ("CheckEntityExistenceInData", "reads", "data_dataset_parquet", ""),
        ("EnsureStagingIsEmpty", "deletes", "staging_dataset", ""),
        ("Delete staging", "deletes", "staging_dataset", ""),
        ("DeleteData", "deletes", "data_dataset", ""),
        ("DeleteDeltas", "deletes", "deltas_dataset", ""),
        ("Copy CSV", "reads", "staging_dataset", ""),
        ("Copy CSV", "writes", "data_dataset", ""),
        ("Copy parquet", "reads", "staging_dataset", ""),
        ("Copy parquet", "writes", "data_dataset", ""),
    },
    "modern-data-wareho__Pl_NYCTaxi_Run_Data_Retention": {
        ("Read Configuration File", "reads", "Ds_NYCTaxi_Config", ""),
        ("Get Folder Children", "reads", "Ds_NYCTaxi_ADLS2_Year_Folder", ""),
        ("Delete File Structure before Retention", "deletes", "Ds_NYCTaxi_ADLS2_Folder", ""),
        ("Delete Current Empty Year", "deletes", "Ds_NYCTaxi_ADLS2_Year_Folder", ""),
    },
    "azure-data-service__AZ_SQL_Full_Load_IRA": {
        ("Copy Azure SQL to ADLS", "reads", "AzureSqlTable_IRA", "?"),
        ("Copy Azure SQL to ADLS", "writes", "ADLSParquet_IRA", ""),
        ("Get Parquet Metadata ADLS", "reads", "ADLSParquet_IRA", ""),
        ("Copy Azure SQL to Blob", "reads", "AzureSqlTable_IRA", "?"),
        ("Copy Azure SQL to Blob", "writes", "BlobParquet_IRA", ""),
        ("Get Parquet Metadata Blob", "reads", "BlobParquet_IRA", ""),
    },
    "procfwk__03-Child": {("Get Pipelines", "reads", "GetSetMetadata", "?")},  # by a stored procedure
    "azure-data-service__Master": set(),
}
CALLS = {
    "Azure-DataFactory__BulkCopyFromS3": {"CopyFolderPartitionFromS3"},
    "azure-data-service__AZ_SQL_Full_Load_IRA": {"AZ_Function_Generic"},
    "bc2adls__Consolidation_CheckForDeltas": {"Consolidation_OneEntity"},
    "procfwk__02-Parent": {"Check For Running Pipeline", "03-Child"},
    "procfwk__03-Child": {"04-Infant"},
    "procfwk__04-Infant": {"Throw Exception", "Email Sender"},
}
UNREADABLE = {
    "modern-data-wareho__IngestToBronze": {"Anonymize Source"},
    "modern-data-wareho__P_Ingest_MelbParkingData": {"StandardizeData", "TransformData", "Load SQL dedicated pool"},
    "modern-data-wareho__P_Ingest_ParkingData": {"StandardizeData", "TransformData", "Load SQLDW"},
    "modern-data-wareho___pipelinename_": {"ETL Sample Notebook", "SQL Status Update"},
    "modern-data-wareho__Pl_NYCTaxi_Run_Data_Retention": {
        "DeleteServerlessDynamicView",
        "Run Data Retention at the row level",
    },
    "azure.datafactory.__PL_ExecSparkJob": {"Exec Spark Job"},
    "procfwk__03-Child": set(),
}


def read(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8-sig"))


def pipeline(file: str) -> Pipeline:
    return Pipeline.of(read(REAL / "pipelines" / f"{file}.json"))


@cache
def datasets() -> tuple[Dataset, ...]:
    return tuple(Dataset.of(read(path)) for path in sorted((REAL / "resources").glob("dataset__*.json")))


@pytest.mark.parametrize("file", TOUCHES)
def test_finds_what_a_reader_found(file: str) -> None:
    found = lineage([pipeline(file)], datasets())
    told = {(t.activity, t.mode, t.dataset, t.place.replace(UNKNOWN, "?")) for t in found.touches}
    assert told == TOUCHES[file]


@pytest.mark.parametrize("file", CALLS)
def test_finds_the_pipelines_that_it_calls(file: str) -> None:
    assert {child for _, child in lineage([pipeline(file)], []).calls} == CALLS[file]


@pytest.mark.parametrize("file", UNREADABLE)
def test_owns_up_to_the_activities_whose_data_it_cannot_see(file: str) -> None:
    found = pipeline(file)
    assert set(lineage([found], []).opaque.get(found.name, ())) == UNREADABLE[file]


def test_a_chain_of_pipelines_is_followed_to_its_end() -> None:
    files = ("procfwk__01-Grandparent", "procfwk__02-Parent", "procfwk__03-Child", "procfwk__04-Infant")
    found = lineage([pipeline(file) for file in files], datasets())
    assert set(found.downstream(["02-Parent"])) >= {"03-Child", "04-Infant", "Email Sender"}
    assert [name for name, _ in found.before("04-Infant")] == ["03-Child"]
