"""A small thesaurus of everyday English: each group holds words that can stand for one another in a question."""

from __future__ import annotations

# What people say for what tools are called; tried in this order.
IDIOMS = (
    (r"\bhow (?:do|can|could|should|would) (?:i|we|you)\b|\bhow to\b|\bwhat can (?:i|we) do about\b", "howto"),
    (r"\bbreak(?:ing)?\s+down\b|\bbreak\s+(\S+)\s+down\b|\bbreakdown\b", r"details \1"),
    (r"\bstep by step\b|\bhow far\b", "steps"),
    (r"\blook(?:ing)? into\b|\bget to the bottom of\b|\bdig into\b", "investigate why"),
    (r"\bwhat(?:'s| is| was) (?:the matter|up|wrong|the deal|the problem) with\b", "why wrong"),
    (r"\bwhat(?:'s| is| was) the matter\b|\bhow come\b", "why wrong"),
    (r"\bwhat (?:has |have |had )?(?:happened|went wrong|gone wrong) (?:to|with|in)\b", "why wrong"),
    (r"\bwhat(?:'?s| is) up with\b|\bwhat killed\b", "why failed"),
    (r"\b(?:went|gone|blew|blowing|fell|falling) (?:down|up|over|bust)\b", "failed"),
    (r"\bon fire\b|\bin trouble\b|\bgone bad\b", "failing"),
    (r"\b(?:going|goes|went) on\b", "happening"),
    (r"\bup and running\b|\bin progress\b", "running"),
    (r"\bkick(?:ed|s|ing)? off\b", "started"),
    (r"\brun ?down\b", "overview"),
)


def bag(text: str) -> frozenset[str]:
    """A set of words, written as a text."""
    return frozenset(text.split())


IRREGULAR = {
    "ran": "run", "running": "run", "broke": "break", "broken": "break", "went": "go", "gone": "go", "took": "take",
    "taken": "take", "spent": "spend", "paid": "pay", "sent": "send", "bought": "buy", "sold": "sell", "flew": "fly",
    "flown": "fly", "flight": "flight", "flights": "flight", "met": "meet", "wrote": "write", "written": "write",
    "began": "begin", "begun": "begin", "kept": "keep", "lost": "lose", "found": "find", "better": "good",
    "worse": "bad", "worst": "bad", "best": "good", "longer": "long", "longest": "long", "slower": "slow",
    "slowest": "slow", "people": "person", "children": "child", "men": "man", "women": "woman", "news": "news",
    "status": "status", "process": "process", "address": "address", "access": "access", "diagnosis": "diagnos",
    "diagnoses": "diagnos", "diagnose": "diagnos", "diagnosed": "diagnos", "analysis": "analys", "analyse": "analys",
    "analyze": "analys", "wrong": "wrong", "built": "build", "owed": "owe", "owes": "owe", "owing": "owe",
    "done": "do", "did": "do", "fell": "fall", "fallen": "fall", "drove": "drive", "driven": "drive", "held": "hold",
    "stuck": "stuck", "died": "die", "dying": "die", "booked": "book", "booking": "book", "bookings": "book",
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "nightly": "night", "weather": "weather",
    "order": "order", "orders": "order", "ordered": "order", "number": "number", "offer": "offer", "letter": "letter",
    "paper": "paper", "server": "server", "servers": "server", "user": "user", "users": "user", "owner": "owner",
    "customer": "customer", "customers": "customer", "supplier": "supplier", "suppliers": "supplier",
    "holiday": "holiday", "sing": "sing", "bring": "bring", "string": "string",
}  # fmt: skip

GROUPS = (
    # what went wrong, and why
    "fail failure failing break broken error errored crash wrong problem trouble unsuccessful red bad bust down "
    "die worry alarm unhealthy sick fault defect bomb choke kaput flaky casualty blow",
    "why cause reason because explain explanation diagnose diagnosis root investigate troubleshoot analyse "
    "culprit wrong",
    "fail problem fine ok okay green healthy smooth",  # opposites are asked for in the same breath
    "detail deep closer inspect investigate examine drill dig look",
    "retry rerun repeat again restart redo",
    "fix repair mend solve resolve remedy recover",
    "cancel stop abort kill halt terminate end interrupt",
    "begin start launch kick commence",
    "late delay overdue behind miss slip",
    "wait pending queue stuck hang block",
    "succeed success successful pass fine ok okay green complete finish",
    # work and its parts
    "run execution execute job process",
    "step stage task part phase",
    "history historic previous earlier past recent trend",
    "status state health condition doing going okay progress situation",
    "slow slower long duration fast quick speed performance take trend",
    "change modify edit alter update difference differ",
    "compare versus difference differ contrast",
    "count total amount sum tally",
    "list overview inventory catalogue everything",
    "most top worst often frequent common",
    # money
    "cost price spend expense expensive charge bill money pay worth fee cheap budget",
    "invoice bill receipt owe unpaid outstanding due payment pay",
    "currency exchange convert dollar euro pound yen rate krone franc usd eur gbp",
    "stock share ticker quote trade",
    # weather
    "weather forecast rain rainy sun sunny snow temperature umbrella cold hot warm wind windy storm degree wet coat "
    "freeze cloudy humid outside outdoors",
    # people and time
    "calendar meet meeting appointment agenda diary event busy free schedule invite slot",
    "schedule timetable plan planned calendar",
    "contact phone call colleague person employee staff who",
    "mail email message inbox letter",
    "send forward deliver post notify",
    "leave vacation holiday absence absent away off ill sick unwell",
    "book reserve reservation invite arrange organise set",
    # places and travel
    "flight fly plane airport airline depart arrive",
    "train rail station depart arrive platform",
    "hotel room stay accommodation night",
    "restaurant eat dinner lunch food table cuisine",
    "route direction way drive distance far map navigate",
    "place city town location where",
    # goods
    "order purchase buy bought",
    "parcel package shipment ship deliver delivery track courier post",
    "warehouse inventory stock item product available",
    "return refund back",
    # words and knowledge
    "translate translation language spanish french german say",
    "document doc docs documentation guide manual article reference instruction learn howto",
    "how-to howto guide instruction learn configure setup",
    "mean meaning define definition explain dictionary",
    "search find look lookup query",
    "open create new raise file register add",
    "ticket complaint support",
    "remind reminder remember alert",
    "delete remove drop erase discard",
    "song music play album artist listen",
    "news headline press",
    "recipe cook ingredient bake",
    "file attachment folder document",
)
