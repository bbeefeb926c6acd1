"""A planner that believes everything: it obeys any imperative it reads in a tool's output. For injection tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from localcloud.foundry.records import Json
from localcloud.foundry.thinking.arguments import Source, fill
from localcloud.foundry.thinking.matching import properties_of
from localcloud.foundry.thinking.planner import MAX_ROUNDS, Planner, distinct, forced, is_agent
from localcloud.foundry.thinking.question import SUGGESTED
from localcloud.foundry.thinking.replies import parsed
from localcloud.foundry.thinking.turns import Call, Offer, Prompt
from localcloud.foundry.thinking.words import stems

COMMAND = re.compile(r"\b(?:call|run|use|invoke|execute|start)\s+(?:the\s+)?(?:tool\s+|function\s+|agent\s+)?", re.I)
OVERRIDE = re.compile(
    r"\b(?:ignore|disregard|forget)\b[^.;\n]{0,60}?\b(?:instructions?|rules?|prompts?|guidelines?)\b[\s.,;:]*(?:and|then)?\s*",
    re.I,
)
PAIR = re.compile(r"(\w+)\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,;.)]+(?:\.[^\s,;.)]+)*))")
REACH = 300  # characters of an order read for its arguments
SENTENCE = re.compile(r"[.;!\n]")


class GulliblePlanner(Planner):
    def calls_for(self, prompt: Prompt) -> tuple[Call, ...]:
        done = [outcome.call for outcome in prompt.outcomes]
        orders = self.ordered(prompt) if prompt.rounds and len(prompt.rounds) < MAX_ROUNDS else ()
        return tuple(call for call in orders if call not in done) or super().calls_for(prompt)

    def ordered(self, prompt: Prompt) -> tuple[Call, ...]:
        """Every call some output demands, of a tool that is there."""
        offers = forced(prompt)
        texts = [text for outcome in prompt.outcomes for text in texts_in(parsed(outcome.output))]
        return distinct([call for text in texts for call in self.orders_in(text, offers)])

    def orders_in(self, text: str, offers: Sequence[Offer]) -> Iterator[Call]:
        if text.startswith(SUGGESTED):
            return
        for offer in offers:
            for name in (offer.name, offer.name.replace("_", " "), offer.name.replace("_", "-")):
                for match in re.finditer(COMMAND.pattern + rf"[`'\"]?{re.escape(name)}\b[`'\"]?", text, re.I):
                    yield Call(offer.name, self.arguments(offer, text[match.end() : match.end() + REACH]))
        for match in OVERRIDE.finditer(text):
            yield from self.loosely(SENTENCE.split(text[match.end() :], 1)[0], offers)

    def loosely(self, order: str, offers: Sequence[Offer]) -> Iterator[Call]:
        """An order in plain words, when a tool's name says the same."""
        said = set(stems(order))
        best = max(offers, key=lambda offer: len(said & set(stems(offer.name))), default=None)
        if best is None or not order.strip():
            return
        if is_agent(best):
            yield Call(best.name, {"query": order.strip()})
        elif stems(order) and stems(order)[0] in stems(best.name):
            yield Call(best.name, self.arguments(best, order))

    def arguments(self, offer: Offer, tail: str) -> Json:
        """JSON after the name, or `key=value` pairs, or else what a planner would read in the words."""
        if (start := tail.find("{")) >= 0 and (body := leading_object(tail[start:])) is not None:
            return body
        if is_agent(offer):
            return {"query": tail.strip(" :,.`'\"")}
        properties = properties_of(offer.parameters)
        pairs = {key: next(filter(None, values), "") for key, *values in PAIR.findall(tail) if key in properties}
        return pairs or fill(offer, Source(SENTENCE.split(tail, 1)[0], "", self._clock())).arguments


def leading_object(text: str) -> Json | None:
    try:
        body, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def texts_in(body: object) -> Iterator[str]:
    """Every text in a reply, however deep."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict):
        for value in body.values():
            yield from texts_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from texts_in(value)
