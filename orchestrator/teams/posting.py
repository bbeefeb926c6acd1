"""The answer that was promised in Teams, posted when its run ends."""

from __future__ import annotations

from orchestrator.notify.cards.answer import answer_message
from orchestrator.notify.port import Notifier
from orchestrator.runs.record import Run
from orchestrator.stores.runs import RunStore
from orchestrator.teams.activity import asked_in_teams


async def post_promised(run: Run, store: RunStore, notifier: Notifier, link: str = "") -> bool:
    """Whether it was promised, and is posted now. For a run that has ended, once its end is stored: what ended before
    the promise was the reply itself. Raises UpstreamError where storage or the channel does not answer: call again."""
    if not asked_in_teams(run) or not await store.answer_promised(run.id):
        return False
    await notifier.send(answer_message(run, link=link))
    return True
