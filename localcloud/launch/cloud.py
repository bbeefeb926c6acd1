"""The local cloud with the app on top: which processes, in which order, with which settings.

    async with running(Options(), print) as cloud:
        ...                                   # cloud.url answers, with cloud.key

Storage, Data Factory and documentation start together, the agent service as soon as storage is up, the app last.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from localcloud import azurite
from localcloud.host.func_tools import FuncMissing, find_func
from localcloud.host.settings import FILE, LoadError, read_values
from localcloud.launch.children import READY_SECONDS, Children, Spec
from localcloud.serve import free_socket
from localcloud.teams.say import TOKEN

ROOT = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
PLANNER = "local-planner"
SIGNATURE = "local"  # in the address of the channel's flow
# A real project's settings in the developer's shell must not leak into a local run and send it to the real thing.
OURS = (
    "ADF_",
    "APPLICATIONINSIGHTS_",
    "AUDIT_",
    "AZURE_",
    "AzureWebJobs",
    "CALLBACK_",
    "DIGEST_",
    "FOUNDRY_",
    "INCIDENT_",
    "LEARN_",
    "LINK_",
    "OTEL_",
    "PUBLIC_",
    "PYTHON_APPLICATIONINSIGHTS_",
    "PYTHON_ENABLE_OPENTELEMETRY",
    "STORAGE",
    "TEAMS_",
    "TOKEN_",
    "WEBSITE_",
)


UNWATCHED = {"AzureWebJobs__watch_all__Disabled": "true"}  # where nothing but the questions asked is to happen
STARTING = "Starting storage, Data Factory, documentation, agent service and the app …"


class CannotStart(Exception):
    """The launch cannot begin. Says what to do instead."""


@dataclass(frozen=True)
class Options:
    """What to launch. The `…_arguments` reach the stand-ins' command lines as they are."""

    root: Path = ROOT
    logs: Path = Path(".localcloud/logs/ask")  # under root
    port: int = 0
    factory: Path | None = None  # a folder exported by ADF's Git integration; without it, the built-in scenario
    host: Literal["light", "func"] = "light"
    ready_seconds: float = READY_SECONDS
    adf_arguments: Sequence[str] = ()
    foundry_arguments: Sequence[str] = ()
    host_arguments: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)  # of the app, besides its usual ones
    storage_made: bool = False  # all of it at once, as the templates do; else what is used, when it is
    teams: bool = False  # with a channel: without it messages are lines of the app's log


@dataclass(frozen=True)
class Cloud:
    """Where everything is. `children` tells when a part of it dies."""

    url: str
    key: str
    storage: str
    adf: str
    foundry: str
    learn: str
    children: Children
    teams: str = ""


@asynccontextmanager
async def running(options: Options, grace_seconds: float = 5.0) -> AsyncIterator[Cloud]:
    """The whole cloud for the length of an `async with` block. Raises CannotStart or ChildFailed."""
    check(options)
    children = Children(options.root / options.logs, options.ready_seconds)
    try:
        yield await start(options, children)
    finally:
        await children.stop(grace_seconds)


def check(options: Options) -> None:
    """Refuse at once what would fail later and less clearly."""
    if options.host == "func":
        check_func()
    if options.factory and not options.factory.is_dir():
        raise CannotStart(f"No folder {str(options.factory)!r}. FACTORY is a folder that ADF's Git integration wrote.")
    try:
        free_socket(options.port).close()
    except OSError as exc:
        raise CannotStart(
            f"Port {options.port} cannot be used: {(exc.strerror or 'unknown reason').lower()}. "
            f"Stop what holds it, or choose another one with PORT=…"
        ) from None


def check_func() -> None:
    try:
        find_func(os.environ)
    except FuncMissing as exc:
        raise CannotStart(str(exc)) from None


async def start(options: Options, children: Children) -> Cloud:
    try:
        async with asyncio.TaskGroup() as group:
            storage = group.create_task(start_storage(options, children))
            adf = group.create_task(start_server(options, children, "adf", adf_arguments(options)))
            learn = group.create_task(start_server(options, children, "learn", ()))
            teams = group.create_task(start_channel(options, children))
            arguments = foundry_arguments(await storage, options)
            foundry = group.create_task(start_server(options, children, "foundry", arguments))
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None  # the first to fail; the others were only cancelled
    key = os.environ.get("LOCAL_FUNCTION_KEY") or secrets.token_urlsafe(16)
    settings = app_settings(storage.result(), adf.result(), foundry.result(), learn.result())
    settings |= teams_settings(teams.result())
    if options.storage_made:
        await make_storage(options, children, settings)
    url = await start_app(options, children, key, {**settings, **options.settings})
    return Cloud(url, key, storage.result(), adf.result(), foundry.result(), learn.result(), children, teams.result())


async def start_storage(options: Options, children: Children) -> str:
    """Azurite on three free ports, with its access log; its connection string."""
    try:
        blob, queue, table = azurite.free_ports(3)
        command = azurite.command(blob, queue, table, access_log=True)
    except RuntimeError as exc:
        raise CannotStart(str(exc)) from None
    await children.start(Spec("storage", guarded(command), base_environment(), options.root, (blob, queue, table)))
    return azurite.connection_string(blob, queue, table)


async def start_server(options: Options, children: Children, name: str, arguments: Sequence[str]) -> str:
    """One of our own stand-ins, `python -m localcloud.<name>`; its URL."""
    command = [sys.executable, "-m", f"localcloud.{name}", "--port", "0", *arguments, "--exit-with-stdin"]
    ready = await children.start(Spec(name, command, base_environment(), options.root))
    return str(ready["url"])


async def start_channel(options: Options, children: Children) -> str:
    return await start_server(options, children, "teams", ()) if options.teams else ""


async def make_storage(options: Options, children: Children, settings: Mapping[str, str]) -> None:
    """Every queue, table and container of the app. Raises ChildFailed."""
    environment = {**base_environment(), **silenced(options.root), **settings}
    command = [sys.executable, "-m", "orchestrator.doctor", "--make-storage"]
    await children.run(Spec("make-storage", command, environment, options.root))


async def start_app(options: Options, children: Children, key: str, settings: Mapping[str, str]) -> str:
    environment = {**base_environment(), **silenced(options.root), **settings, "LOCAL_FUNCTION_KEY": key}
    if options.host == "func":
        return await start_under_func(options, children, environment)
    environment |= {"WEBSITE_AUTH_ENABLED": "true"}  # our host signs a developer in; the real one lets anybody claim it
    ready = await children.start(Spec("app", app_command(options, key), environment, options.root))
    return str(ready["url"])


def app_command(options: Options, key: str) -> list[str]:
    command = [sys.executable, "-m", "localcloud.host", "--app", "function_app:app", "--root", "."]
    if storage_log(options).exists():
        command += ["--storage-log", str(storage_log(options))]
    # With "=", for one key in 64 begins with a dash.
    return [*command, "--port", str(options.port), f"--key={key}", *options.host_arguments, "--exit-with-stdin"]


async def start_under_func(options: Options, children: Children, environment: Mapping[str, str]) -> str:
    """The real Functions host prints no ready line: it is ready when its port is open."""
    port = options.port or azurite.free_ports(1)[0]
    command = guarded([sys.executable, "-m", "localcloud.host.func_tools", "--port", str(port)])
    await children.start(Spec("app", command, environment, options.root, (port,)))
    return f"http://127.0.0.1:{port}"


def foundry_arguments(storage: str, options: Options) -> tuple[str, ...]:
    return ("--queues", storage, "--storage-log", str(storage_log(options)), *options.foundry_arguments)


def storage_log(options: Options) -> Path:
    """Where `start_storage` keeps the emulator's access log."""
    return options.root / options.logs / "storage.log"


def guarded(command: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "localcloud.guard", "--", *command]


def adf_arguments(options: Options) -> tuple[str, ...]:
    factory = ("--factory", str(options.factory.resolve())) if options.factory else ()
    return (*factory, *options.adf_arguments)


def base_environment() -> dict[str, str]:
    """The caller's environment without settings of a real project, and with loopback kept off any proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    loopback = "127.0.0.1,localhost"
    return kept | {"NO_PROXY": loopback, "no_proxy": loopback, "PYTHONUNBUFFERED": "1"}


def thinker(env: Mapping[str, str]) -> str:
    """What the agent service thinks with, under the name that answers then carry: a model, else its planner."""
    return (env.get("LOCAL_MODEL_URL", "") and env.get("LOCAL_MODEL_NAME", "")) or PLANNER


def silenced(root: Path) -> dict[str, str]:
    """What local.settings.json says of a real project, set to nothing: the host lets the environment win."""
    try:
        return {name: "" for name in read_values(root / FILE) if name.startswith(OURS)}
    except LoadError as exc:
        raise CannotStart(str(exc)) from None


def teams_settings(teams: str) -> dict[str, str]:
    """Without a channel nobody can ask from it either: the door for its questions stays closed."""
    if not teams:
        return {}
    return {"TEAMS_WEBHOOK_URL": f"{teams}/workflows/local/run?sig={SIGNATURE}", "TEAMS_SECURITY_TOKEN": TOKEN}


def app_settings(storage: str, adf: str, foundry: str, learn: str) -> dict[str, str]:
    return {
        "STORAGE": storage,
        "AzureWebJobsStorage": storage,
        "FOUNDRY_PROJECT_ENDPOINT": f"{foundry}/api/projects/local",
        "FOUNDRY_MODEL": thinker(os.environ),
        "ADF_ENDPOINT": adf,
        "ADF_SUBSCRIPTION_ID": SUBSCRIPTION,
        "LEARN_MCP_URL": f"{learn}/mcp",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "LINK_SIGNING_KEY": secrets.token_urlsafe(32),
        "CALLBACK_SIGNING_KEY": secrets.token_urlsafe(32),
        "CALLBACK_HOSTS": "127.0.0.1,localhost",
    }
