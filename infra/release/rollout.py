"""A package is put into both apps and tried; where it fails, the last good one is put back."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.release import shelf, target
from infra.release.commands import az, az_json
from infra.release.failure import Failed
from infra.release.packages import Package
from infra.release.shelf import Kept
from infra.release.smoke import App, Patience, smoke, wait_for
from infra.release.target import Target

EXECUTOR = "actions_execute"  # the one function that is on in the operator's app
Say = Callable[[str], None]


@dataclass(frozen=True)
class Rollout:
    target: Target
    say: Say
    patience: Patience
    question: str

    @property
    def app(self) -> App:
        return App(self.target.url, lambda: target.key(self.target), self.patience)

    def deploy(self, package: Package) -> None:
        """Raises Failed where the package is not good, whether or not another one could be put back."""
        self._fits(package)
        former = next((kept for kept in self._releases() if kept.good and not _other_bytes(kept, package)), None)
        shelf.keep(self.target, package)
        self._try(package, former)
        shelf.mark_good(self.target, package.version, package.sha256)
        self.say(f"{package.version} is deployed and good.")

    def rollback(self, version: str = "") -> None:
        """To `version`, or to the last good one that is not the one that runs. What was good after it is so no more:
        going back once more goes further back."""
        chosen = self._chosen(version)
        with tempfile.TemporaryDirectory() as folder:
            package = shelf.fetch(self.target, chosen, Path(folder))
            self._fits(package)
            if chosen.good:
                self._put_back(package)
            else:
                self._try(package, next((kept for kept in shelf.releases(self.target) if kept.good), None))
        for kept in shelf.releases(self.target):
            if chosen.good and kept.good > chosen.good:
                shelf.withdraw(self.target, kept)
        shelf.mark_good(self.target, chosen.version, chosen.sha256)
        self.say(f"{chosen.version} is back and good.")

    def _releases(self) -> list[Kept]:
        """The right to look was given by `azd provision`, perhaps a minute ago: it takes some to be known."""
        end = time.monotonic() + self.patience.seconds
        while True:
            try:
                return shelf.releases(self.target)
            except Failed as exc:
                if time.monotonic() >= end:
                    raise
                self.say(f"Not yet: {exc}")
                time.sleep(self.patience.pause)

    def _chosen(self, version: str) -> Kept:
        kept = shelf.releases(self.target)
        if version:
            running = ""
            found = next((each for each in kept if each.version == version), None)
        else:
            running = self._running(kept) if kept else ""
            found = next((each for each in kept if each.good and each.version != running), None)
        if found is None:
            wanted = version or f"no good release but {running or 'what runs'}"
            listed = ", ".join(each.version for each in kept) or "nothing"
            raise Failed(f"{wanted} is kept for {self.target.app}, only {listed}: name one of them with --to.")
        return found

    def _running(self, kept: list[Kept]) -> str:
        try:
            return wait_for(App(self.target.url, self.app.key, Patience(0, 0)), "")
        except Failed as exc:
            listed = ", ".join(each.version for each in kept if each.good) or "none"
            raise Failed(f"{exc} Which one is the last before it is not known; good ones: {listed} (--to).") from exc

    def _try(self, package: Package, former: Kept | None) -> None:
        try:
            self._put(package)
        except Failed as failure:
            self._back(failure, package, former)

    def _back(self, failure: Failed, package: Package, former: Kept | None) -> None:
        """Always raises."""
        if former is None:
            raise Failed(f"{failure} Nothing was good here before, so {package.version} stays.") from failure
        if former.version == package.version:
            raise Failed(f"{failure} {package.version} was good here before: look at what is around it.") from failure
        self.say(f"{failure} Putting {former.version} back.")
        try:
            with tempfile.TemporaryDirectory() as folder:
                self._put_back(shelf.fetch(self.target, former, Path(folder)))
        except Failed as again:
            text = f"{package.version} failed: {failure} {former.version} was put back and fails too: {again}"
            raise Failed(text) from again
        shelf.mark_good(self.target, former.version, former.sha256)
        raise Failed(f"{package.version} failed: {failure} {former.version} is back and good.") from failure

    def _fits(self, package: Package) -> None:
        wanted = self.target.python
        if wanted and wanted != package.python:
            raise Failed(
                f"{package.version} is made for Python {package.python}, and {self.target.app} runs {wanted}: "
                f"its libraries would not load. Make the package with Python {wanted}."
            )

    def _put(self, package: Package) -> None:
        """Into both apps, the one that changes factories last and only where the other is good."""
        self._send(self.target.app, package)
        smoke(self.app, package.version, self.say, self.question)
        self._send(self.target.operator, package)
        self._executes()

    def _put_back(self, package: Package) -> None:
        """Into both apps before it is tried: whatever is amiss around them, they are of one version."""
        self._send(self.target.app, package)
        self._send(self.target.operator, package)
        smoke(self.app, package.version, self.say, self.question)
        self._executes()

    def _send(self, name: str, package: Package) -> None:
        self.say(f"{package.version} goes to {name}.")
        az(
            *("functionapp", "deployment", "source", "config-zip", "--resource-group", self.target.group),
            *("--name", name, "--src", str(package.file), "--build-remote", "false", "--timeout", "900"),
            *("--output", "none"),
        )

    def _executes(self) -> None:
        """The operator's app has no door to ask at: that its host found the function says that the package loads."""
        words = ("functionapp", "function", "list", "--resource-group", self.target.group)
        end = time.monotonic() + self.patience.seconds
        while True:
            trouble = ""
            try:
                listed = az_json(*words, "--name", self.target.operator) or []
            except Failed as exc:  # a look that fails says nothing of the package
                listed, trouble = [], str(exc)
            if any(str(one.get("name", "")).rpartition("/")[2] == EXECUTOR for one in listed):
                self.say(f"{self.target.operator} has its function.")
                return
            if time.monotonic() >= end:
                unknown = f"{self.target.operator} does not know {EXECUTOR}: the package does not load there."
                raise Failed(trouble or unknown)
            time.sleep(self.patience.pause)


def _other_bytes(kept: Kept, package: Package) -> bool:
    """Of the same version, made anew: what was good is written over, and was not this."""
    return kept.version == package.version and kept.sha256 != package.sha256
