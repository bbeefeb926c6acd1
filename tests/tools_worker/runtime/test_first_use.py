"""A fresh worker pays for a library when it is first used, not when the worker is built."""

from __future__ import annotations

import subprocess
import sys

BUILD = """
import asyncio, sys
from core.settings import Settings
from tools_worker.runtime.worker import build
async def built():
    storage = "http://127.0.0.1:1/devstoreaccount1"
    env = {"STORAGE": f"AccountName=devstoreaccount1;AccountKey=a2V5;TableEndpoint={storage};QueueEndpoint={storage}"}
    worker = build(Settings.load({**env, "ADF_ENDPOINT": "http://127.0.0.1:1", "ADF_SUBSCRIPTION_ID": "x"}))
    print("azure.storage.queue" in sys.modules, "azure.mgmt.datafactory" in sys.modules)
    if "sweep" in sys.argv:
        print(worker.queues() is worker.queues(), "azure.storage.queue" in sys.modules)
asyncio.run(built())
"""


def words(*arguments: str) -> list[str]:
    command = [sys.executable, "-c", BUILD, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_building_the_worker_loads_neither_the_queue_client_nor_the_management_package() -> None:
    assert words() == ["False", "False"]


def test_the_sweeper_opens_the_queues_once() -> None:
    assert words("sweep")[2:] == ["True", "True"]
