"""Settings and host.json as the host reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localcloud.host.host_json import load_host_json, timespan
from localcloud.host.settings import LoadError, Settings, load_settings


def write(folder: Path, name: str, document: object) -> Path:
    (folder / name).write_text(json.dumps(document))
    return folder


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    environment = {"A": "environment"}
    write(tmp_path, "local.settings.json", {"Values": {"A": "file", "B": "file"}})
    settings = load_settings(tmp_path, environment)
    assert (settings.get("A"), settings.get("B")) == ("environment", "file")
    assert environment["B"] == "file"


def test_names_in_percent_signs_are_resolved() -> None:
    assert Settings({"X": "one"}).resolve("a-%X%-b") == "a-one-b"


def test_a_missing_name_is_told() -> None:
    with pytest.raises(LoadError, match="'X'"):
        Settings({}).resolve("%X%")


@pytest.mark.parametrize("name", ["AzureWebJobs.f.Disabled", "AzureWebJobs__f__Disabled"])
def test_a_function_is_disabled_by_either_spelling(name: str) -> None:
    assert Settings({name: "true"}).is_disabled("f")
    assert not Settings({name: "false"}).is_disabled("f")


def test_encrypted_settings_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "local.settings.json", {"IsEncrypted": True, "Values": {}})
    with pytest.raises(LoadError, match="encrypted"):
        load_settings(tmp_path, {})


def test_an_empty_host_json_means_the_real_hosts_defaults(tmp_path: Path) -> None:
    found = load_host_json(write(tmp_path, "host.json", {"version": "2.0"}))
    assert (found.route_prefix, found.function_timeout_seconds) == ("api", 1800)
    assert (found.queues.batch_size, found.queues.new_batch_threshold, found.queues.max_dequeue_count) == (16, 8, 5)


def test_host_json_settings_are_read(tmp_path: Path) -> None:
    queues = {
        "batchSize": 4,
        "newBatchThreshold": 1,
        "maxPollingInterval": "00:00:02",
        "visibilityTimeout": "00:00:30",
        "maxDequeueCount": 3,
        "messageEncoding": "none",
    }
    extensions = {"http": {"routePrefix": ""}, "queues": queues}
    found = load_host_json(write(tmp_path, "host.json", {"functionTimeout": "00:10:00", "extensions": extensions}))
    assert (found.route_prefix, found.function_timeout_seconds) == ("", 600)
    assert (found.queues.batch_size, found.queues.new_batch_threshold, found.queues.max_dequeue_count) == (4, 1, 3)
    assert (found.queues.max_polling_seconds, found.queues.visibility_seconds) == (2, 30)
    assert not found.queues.base64


@pytest.mark.parametrize("queues", [{"batchSize": 33}, {"batchSize": "x"}, {"visibilityTimeout": "soon"}, []])
def test_what_the_real_host_would_refuse_is_refused(tmp_path: Path, queues: object) -> None:
    with pytest.raises(LoadError):
        load_host_json(write(tmp_path, "host.json", {"extensions": {"queues": queues}}))


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:00:02", 2), ("01:02:03", 3723), ("1.00:00:00", 86400), ("00:00:00.5", 0.5)]
)
def test_time_spans(text: str, seconds: float) -> None:
    assert timespan(text) == seconds
