"""What Teams gets back, in its markdown. Every text from outside stays text: no tag, mention or link can come of it."""

from __future__ import annotations

import html
import re

from orchestrator.notify.cards.parts import readable
from orchestrator.runs.record import Run
from tools_worker.datafactory.masking import mask
from tools_worker.datafactory.wording import safe

MAX_ANSWER = 6000  # characters; Teams takes 28 KB, and nobody reads that in a chat
MAX_QUESTION = 150
HELP = (
    "Ask me about Azure Data Factory in plain words. For example:\n\n"
    "- What failed in the last 24 hours?\n"
    "- Why did LoadSales fail?\n"
    "- Is anything stuck or late?\n"
    "- What did yesterday cost?\n\n"
    "Later questions in the same thread may refer to earlier ones."
)
_LINK = re.compile(r"\](?=\s{0,3}[(\[:])")


def inert(text: str) -> str:
    """Of the markdown the emphasis and the lists stay; links, images and tags do not."""
    return html.escape(_LINK.sub("\\]", text), quote=False)


def answer(run: Run, link: str = "") -> str:
    """Of a run that has ended."""
    if not run.answer:
        return f"I could not answer that: {inert(safe(run.error)) or 'it took too long or was cancelled.'}{_more(link)}"
    told = mask(run.answer)
    cut = told if len(told) <= MAX_ANSWER else f"{told[:MAX_ANSWER].rstrip()}…"
    return f"{inert(cut)}{_more(link)}"


def acknowledgement(run: Run, link: str = "", *, posted: bool = False) -> str:
    """Of a run that is still working. `posted`: its answer will be posted in the channel."""
    then = " The answer will be posted in this channel." if posted else ""
    return f"I am looking into “{inert(safe(run.question, MAX_QUESTION))}”.{then}{_more(link, 'Follow it here')}"


def trouble(text: str, hint: str) -> str:
    return f"I cannot take questions right now. {inert(safe(text))} {inert(safe(hint))}".strip()


def _more(link: str, words: str = "More about it") -> str:
    """Our own link. Parentheses would end it early."""
    return f"\n\n[{words}]({link.replace('(', '%28').replace(')', '%29')})" if readable(link) else ""
