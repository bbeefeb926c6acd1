"""A model's words beside a diagnosis: the agents are asked once for each incident. The finding needs no model."""

from __future__ import annotations

from orchestrator.incidents.record import Incident
from orchestrator.runs.intake import Intake

# The summary is made by code: names, numbers and our own sentences, never the text of an error.
QUESTION = (
    "Tell the engineer on call about this incident in at most five sentences: what broke, why, what it affects, what "
    "to do first. Say only what the finding says; look something up only where it contradicts itself.\n\nFinding: {}"
)


class Narrator:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def ask(self, incident: Incident) -> str:
        """The id of the run whose answer will be the narrative; the same however often it is asked."""
        question = QUESTION.format(incident.summary)
        return (await self._intake.ask(question, factory=incident.factory, key=f"incident:{incident.id}")).id
