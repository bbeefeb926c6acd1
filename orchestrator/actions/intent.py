"""Did the person ask for this? Decided on their own words alone, by plain rules; never on what a tool or a model wrote.

A text in an error message may talk a model into calling a tool. It cannot put words into the question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools_worker.datafactory.operations.model import OperationKind, Plan

AGAIN = r"re-?runs?|re-?start|re-?try|repeat|redo|re-?execute|run (?:it |them |this |that )?again"
WORDS: Mapping[OperationKind, str] = {
    "rerun": AGAIN,
    "rerun_window": AGAIN,
    "cancel": r"cancel|stop|abort|kill|end",
    "run_pipeline": r"run|start|launch|execute|trigger|kick off",
    "start_trigger": r"start|enable|activate|turn on|switch on|resume",
    "stop_trigger": r"stop|disable|deactivate|turn off|switch off|pause",
    "pause_schedule": r"pause|suspend|hold|stop",
    "resume_schedule": r"resume|continue|unpause|start|restart",
}
VERBS = {kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for kind, words in WORDS.items()}
SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n")
CLAUSES = re.compile(r",? (?:and|but|then|so)\b", re.IGNORECASE)
NOT = re.compile(r"\b(?:not|never|no|without|don'?t|cannot|can'?t|won'?t|avoid|instead of|refrain)\b", re.IGNORECASE)
# What only talks about it: a question, or a thing that was or might be.
TALK = re.compile(
    r"\b(?:should|would it|could it|is it|will it|safe to|may i|whether|why|when|what|which|who|how|did|does|was|were"
    r"|has|have|had)\b",
    re.IGNORECASE,
)
POLITE = re.compile(
    r"^\W*(?:please|can you|could you|would you|will you|i want you to|i'd like you to|go ahead)\b", re.IGNORECASE
)


def asked_for(question: str, plan: Plan) -> bool:
    """The words ask for this kind of thing to be done, and name what it is done to. In doubt they do not."""
    sentences = SENTENCES.split(question)
    return _names(question, plan) and any(_asks(sentence, plan.operation.kind) for sentence in sentences)


def _names(question: str, plan: Plan) -> bool:
    given = plan.operation.arguments
    targets = {plan.run_id, plan.pipeline, *(str(given.get(name) or "") for name in ("trigger", "trigger_run_id"))}
    folded = question.casefold()
    return any(re.search(rf"(?<!\w){re.escape(each.casefold())}(?!\w)", folded) for each in targets if each)


def _asks(sentence: str, kind: OperationKind) -> bool:
    """A no anywhere before the verb counts; a question only where it stands in the verb's own clause."""
    verb = VERBS[kind].search(sentence)
    if verb is None or NOT.search(sentence[: verb.start()]):
        return False
    clause = next(each for each in CLAUSES.split(sentence) if VERBS[kind].search(each))
    before = clause[: VERBS[kind].search(clause).start()]  # type: ignore[union-attr]
    return bool(POLITE.search(clause)) or not (TALK.search(before) or clause.rstrip().endswith("?"))
