"""What proposes, decides and executes, built once per event loop, on first use: storage and Data Factory.

Who executes has an identity of its own. It is opened by the executor alone, which in production runs in a second app
of the same package with no other function.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import clients
from core.per_loop import PerLoop
from core.settings import Settings
from orchestrator.links import own_origin
from tools_worker.runtime import worker
from tools_worker.runtime.worker import utc_now

if TYPE_CHECKING:
    from orchestrator.actions.deciding import Desk
    from orchestrator.actions.executing import Executor
    from orchestrator.actions.proposing import Proposer
    from orchestrator.actions.rounds import Rounds
    from orchestrator.stores.actions import ActionStore


@dataclass(frozen=True)
class ActionServices:
    store: ActionStore
    proposer: Proposer
    desk: Desk
    rounds: Rounds


def current() -> ActionServices:
    """This event loop's. Raises NotConfigured where settings are missing."""
    return _services.get()


def configured() -> ActionServices | None:
    """`current`, or None where settings are missing."""
    return _services.configured()


async def provided() -> ActionServices:
    """`current`, as the API's routes ask for it."""
    return current()


def executor() -> Executor:
    """This event loop's. Raises NotConfigured where settings are missing."""
    return _executor.get()


def build(settings: Settings) -> ActionServices:
    from orchestrator.actions.deciding import Desk
    from orchestrator.actions.judging import Judge
    from orchestrator.actions.proposing import Proposer
    from orchestrator.actions.rounds import Rounds
    from orchestrator.actions.telling import Telling
    from orchestrator.audit import services as audit
    from orchestrator.notify.channel import channel
    from orchestrator.policy.reading import PolicyFile
    from orchestrator.stores.action_tables import TableActionStore
    from orchestrator.stores.incident_tables import TableIncidentStore
    from orchestrator.stores.queues import Wishes
    from tools_worker.datafactory.operations.planning import plan

    settings.require("storage", "adf")
    tables, queues = clients.table_service(settings), clients.queue_service(settings)
    store, incidents = TableActionStore(tables), TableIncidentStore(tables)
    policy, queue = PolicyFile.of(os.environ), Wishes(queues, "actions")
    origin = own_origin(settings, os.environ)
    telling = Telling(
        store,
        incidents,
        channel(settings),
        lambda entry: audit.current().record(entry),
        utc_now,
        lambda action_id: f"{origin}/ui/approvals/{action_id}" if origin else "",
        Wishes(queues, "repairs").send,
    )
    factories = worker.current().factories

    async def tags(name: str) -> Mapping[str, str]:
        return await (await factories.get(name)).tags()

    judge = Judge(store, policy.current, policy.writable, utc_now, tags)
    desk = Desk(store, telling, queue.send, utc_now)
    proposer = Proposer(store, factories, plan, judge, telling, queue.send, utc_now)
    return ActionServices(store, proposer, desk, Rounds(store, desk, queue, utc_now))


def build_executor(settings: Settings) -> Executor:
    from functools import partial

    from orchestrator.actions.executing import Executor
    from tools_worker.datafactory.operations.following import effect
    from tools_worker.datafactory.operations.read_back import read_back
    from tools_worker.datafactory.operations.sdk import open_operations
    from tools_worker.datafactory.operations.sending import send

    parts = current()
    return Executor(
        store=parts.store,
        factories=parts.proposer.factories,
        judge=parts.proposer.judge,
        plan=parts.proposer.plan,
        send=partial(send, open_operations(settings)),
        read_back=read_back,
        follow=effect,
        telling=parts.proposer.telling,
        enqueue=parts.proposer.enqueue,
        writable=parts.proposer.judge.closed,
        owner=f"executor-{secrets.token_hex(6)}",
        now=utc_now,
    )


_services = PerLoop(lambda: build(Settings.load(os.environ)))
_executor = PerLoop(lambda: build_executor(Settings.load(os.environ)))
