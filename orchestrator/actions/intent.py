"""Did the person ask for this? Decided on their own words alone, by plain rules; never on what a tool or a model wrote.

A text in an error message may talk a model into calling a tool. It cannot put words into the question. What the
question quotes is somebody else's words, too. In doubt nobody asked: then it is told as a proposal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tools_worker.datafactory.operations.model import OperationKind, Plan

AGAIN = r"re-?run|re-?start|re-?try|repeat|redo|re-?execute"
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
# Whose words are these? After a colon, in quotation marks or behind a > there may be a text that was pasted.
PASTED = re.compile(r":(?:\s.*|$)|^\s*>.*?$", re.DOTALL | re.MULTILINE)
QUOTED = re.compile(r"\"([^\"]*)(?:\"|$)|“([^”]*)(?:”|$)|`+([^`]*)(?:`+|$)|(?<!\w)'([^'\n]*)'(?!\w)")
SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n")
CLAUSE = re.compile(r"(?:^|[,;]|\b(?:and|but|then|so)\b)", re.IGNORECASE)
ADDRESSED = (
    r"(?:(?:please|kindly|(?:can|could|would|will) you|i (?:want|need) you to|i(?:'d| would) like you to|i want to"
    r"|i(?:'d| would) like to|let(?:'s| us)|go ahead|and|but|so|then|also|just|now|first|next|finally|afterwards|yes"
    r"|ok(?:ay)?|hi|hello)\b[\s,]*)*"
)
LEAD = re.compile(rf"\W*{ADDRESSED}", re.IGNORECASE)
POLITE = re.compile(r"\b(?:please|(?:can|could|would|will) you)\b", re.IGNORECASE)
ABOUT = r"(?:the|this|that|these|those|all|both|every|each|its|my|our|a)"
LIKE = r"(?:failed|broken|last|latest|newest|whole|entire|stopped|running)"
THING = r"(?:pipelines?|runs?|triggers?|schedules?|windows?|activit(?:y|ies))"
OTHERS = r"(?:[\w.-]+(?:\s*,\s*(?:and\s+)?|\s+and\s+))*"  # named before it: A, B and …
# It was only said, is only thought of, or is not wanted.
NOT_MEANT = re.compile(
    r"\b(?:not|never|no|without|(?:do|does|did|ca|wo|should|must|need)n['’]?t|cannot|avoid|instead|refrain|says?|said"
    r"|tells?|told|asks?|asked|wants?|wanted|suggests?|suggested|recommends?|recommended|whether|should|could|would|might"
    r"|must|to|until|unless|before)\b",
    re.IGNORECASE,
)
QUESTION = re.compile(
    r"\W*(?:should|would|could|is|are|was|were|does|did|do|has|have|had|will|may|might|can|why|when|what|which|who|how)\b",
    re.IGNORECASE,
)


def asked_for(question: str, plan: Plan) -> bool:
    """The words tell somebody to do this kind of thing, and name what it is to be done to."""
    targets = _targets(question, plan)
    words = own_words(question, targets)
    named = any(re.search(rf"(?<!\w){each}(?!\w)", words, re.IGNORECASE) for each in map(re.escape, targets))
    order = _order(plan.operation.kind, targets)
    return named and any(_asks(sentence, order) for sentence in SENTENCES.split(words))


def _targets(question: str, plan: Plan) -> Sequence[str]:
    """By these names it is known. A trigger goes by its pipeline's only where the words are about a trigger."""
    given = plan.operation.arguments
    named = [plan.run_id, *(str(given.get(name) or "") for name in ("trigger", "trigger_run_id"))]
    of_trigger = plan.operation.kind in ("start_trigger", "stop_trigger")
    if not of_trigger or re.search(r"\b(?:trigger|schedule)", question, re.IGNORECASE):
        named.append(plan.pipeline)
    return [each for each in named if each]


def own_words(question: str, targets: Sequence[str] = ()) -> str:
    """Without what may be another's words. A name in quotation marks is a name."""
    names = {each.casefold() for each in targets}

    def said(found: re.Match[str]) -> str:
        quoted = next((each for each in found.groups() if each is not None), "")
        return quoted if quoted.strip().casefold() in names else " … "

    return PASTED.sub(" … ", QUOTED.sub(said, question))


def _order(kind: OperationKind, targets: Sequence[str]) -> re.Pattern[str]:
    """A verb, and right behind it what it is to be done to: "the rerun of it" and "its run history" are none."""
    meant = "|".join([*(re.escape(each) for each in targets), "it", "them", "this", "that"])
    which = rf"(?:{ABOUT}\s+(?:{LIKE}\s+)*(?:{THING}\s+)?(?:(?:of|for)\s+)?|(?:{LIKE}\s+)*{THING}\s+)?"
    thing = rf"\s+{which}{OTHERS}(?:{meant})(?!\w)"
    told = rf"\b(?:{WORDS[kind]}){thing}"
    again = rf"|\brun{thing}\s+again\b" if WORDS[kind] == AGAIN else ""
    return re.compile(told + again, re.IGNORECASE)


def _asks(sentence: str, order: re.Pattern[str]) -> bool:
    """The order stands at the beginning of a clause, and nothing that stands before takes it back."""
    polite = POLITE.search(sentence) is not None
    if sentence.rstrip().endswith("?") and not polite:
        return False
    first = LEAD.match(sentence)
    begins = first.end() if first else 0
    if not polite and QUESTION.match(sentence):
        return False
    for clause in CLAUSE.finditer(sentence):
        lead = LEAD.match(sentence, clause.end())
        start = lead.end() if lead else clause.end()
        if order.match(sentence, start) and not NOT_MEANT.search(sentence[begins:start]):
            return True
    return False
