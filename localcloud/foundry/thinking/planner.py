"""placeholder"""

from __future__ import annotations

import json

from localcloud.foundry.records import Usage
from localcloud.foundry.thinking.turns import Call, Prompt, Turn


class Planner:
    async def think(self, prompt: Prompt) -> Turn:
        question = next((m.text for m in reversed(prompt.messages) if m.role == "user"), "")
        if prompt.offers and not prompt.rounds:
            offer = prompt.offers[0]
            names = offer.parameters.get("required") or []
            return Turn(calls=(Call(offer.name, dict.fromkeys(names, question)),), usage=Usage(10, 5))
        texts = []
        for outcome in prompt.outcomes:
            try:
                body = json.loads(outcome.output)
                texts.append(str(body.get("summary") or body.get("error") or outcome.output))
            except (ValueError, AttributeError):
                texts.append(outcome.output)
        return Turn(text="\n".join(texts) or "I have no tools.", usage=Usage(10, 5))
