"""The releases of one environment: blobs that say which of them were tried and found good, and when.

They lie beside the app's data, in a container that only whoever deploys may write: neither of the two apps could put
another package in the place of a good one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra.release import packages
from infra.release.commands import az, az_json
from infra.release.failure import Failed
from infra.release.packages import Package
from infra.release.target import Target


@dataclass(frozen=True)
class Kept:
    version: str
    sha256: str
    good: str  # when it was last found good, UTC; empty where it never was


def keep(target: Target, package: Package) -> None:
    """Before it is tried. Metadata is written by the upload, so a release is kept whole or not at all."""
    same = (kept.good for kept in releases(target) if (kept.version, kept.sha256) == (package.version, package.sha256))
    good = next(same, "")
    az(
        *("storage", "blob", "upload", *_blob(target, package.version), "--file", str(package.file)),
        *("--overwrite", "true", "--no-progress", "--output", "none", "--metadata", *_metadata(package.sha256, good)),
    )


def mark_good(target: Target, version: str, sha256: str, now: datetime | None = None) -> None:
    at = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    words = ("storage", "blob", "metadata", "update", *_blob(target, version), "--output", "none")
    az(*words, "--metadata", *_metadata(sha256, at))


def withdraw(target: Target, kept: Kept) -> None:
    """It stays, and is good no more."""
    words = ("storage", "blob", "metadata", "update", *_blob(target, kept.version), "--output", "none")
    az(*words, "--metadata", *_metadata(kept.sha256, ""))


def releases(target: Target) -> list[Kept]:
    """The last one that was good first, those that never were last."""
    words = ("storage", "blob", "list", "--container-name", target.container, *_login(target), "--include", "m")
    found = [_kept(blob) for blob in az_json(*words, "--num-results", "*") or []]
    return sorted((kept for kept in found if kept), key=lambda kept: kept.good, reverse=True)


def _kept(blob: dict[str, object]) -> Kept | None:
    name, metadata = str(blob.get("name", "")), blob.get("metadata")
    told = metadata if isinstance(metadata, dict) else {}
    version = name.removesuffix(".zip")
    if version == name or not packages.VERSION.fullmatch(version):
        return None
    return Kept(version, str(told.get("sha256", "")), str(told.get("good", "")))


def fetch(target: Target, kept: Kept, folder: Path) -> Package:
    """The very bytes that were kept."""
    file = folder / f"{kept.version}.zip"
    words = ("storage", "blob", "download", *_blob(target, kept.version), "--file", str(file))
    az(*words, "--no-progress", "--output", "none")
    package = packages.read(file)
    if (package.version, package.sha256) != (kept.version, kept.sha256):
        raise Failed(f"The package kept as {kept.version} is not the one that was put there: it is not deployed.")
    return package


def _blob(target: Target, version: str) -> tuple[str, ...]:
    return ("--container-name", target.container, "--name", f"{version}.zip", *_login(target))


def _login(target: Target) -> tuple[str, ...]:
    return ("--account-name", target.account, "--auth-mode", "login")


def _metadata(sha256: str, good: str) -> tuple[str, ...]:
    return (f"sha256={sha256}", *([f"good={good}"] if good else []))
