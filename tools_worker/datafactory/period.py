"""A stretch of time that a question is about: from dates, times or hours back, as far as Data Factory still has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from core.errors import InvalidArguments
from tools_worker.datafactory.schedules.zones import Zone, zone_of
from tools_worker.datafactory.wording import at, count, stamp

RETENTION_DAYS = 45
SPOKEN_AS_DAYS = 72  # hours from which people speak of days
OLDER_PROOF = (
    "Proof of older runs lies only where the factory's diagnostic settings send its logs: a Log Analytics workspace "
    "(tables ADFPipelineRun, ADFActivityRun and ADFTriggerRun) or a storage account. Without them there is none"
)


@dataclass(frozen=True, slots=True)
class Period:
    """`until` is None for 'up to now'. `words` fit behind a noun: 'in the last 24 hours', 'on 2026-03-09 (…)'."""

    since: datetime
    until: datetime | None
    words: str
    zone: Zone
    dated: bool = False  # given by dates or times, so that whoever asks counts what began in it
    asked_since: datetime | None = None  # where it was meant to begin, when Data Factory has not kept all of it
    gone: bool = False  # nothing of it is kept

    @property
    def caveat(self) -> str:
        """A sentence about the part that Data Factory no longer has; empty when it has all."""
        if self.asked_since is None:
            return ""
        kept = f"Data Factory keeps runs for {RETENTION_DAYS} days"
        if self.gone:
            return f"{kept}, so nothing {self.words} can be read. {OLDER_PROOF}."
        return f"{kept}: what was before {at(self.since)} is not counted here. {OLDER_PROOF}."

    def holds(self, when: datetime | None) -> bool:
        """An unknown time is not left out: nobody can say that it lies outside."""
        return when is None or (when >= self.since and (self.until is None or when < self.until))

    def as_data(self, now: datetime) -> dict[str, str | None]:
        found = {"since": stamp(self.since), "until": stamp(self.until or now), "timezone": self.zone.name}
        return found | ({"asked_since": stamp(self.asked_since)} if self.asked_since else {})


def last_hours(hours: int, now: datetime, timezone: str = "") -> Period:
    """The time zone says where the days within it begin. Raises InvalidArguments when it is not known."""
    words = count(hours // 24, "day") if hours >= SPOKEN_AS_DAYS and hours % 24 == 0 else count(hours, "hour")
    return Period(now - timedelta(hours=hours), None, f"in the last {words}", _zone(timezone))


def between(since: str, until: str, timezone: str, now: datetime) -> Period:
    """Either end may be empty, not both. An end is a time (ISO 8601; without an offset it is meant in `timezone`), or a
    date, which means the whole of that day. Without a beginning it is the day of `until`, or the day before that time.

    Raises InvalidArguments for what cannot be read, for an end before the beginning, and for the future."""
    zone = _zone(timezone)
    end = _moment(until, "until", zone, end=True) if until else None
    begin = _moment(since, "since", zone) if since else _day_before(until, end, zone)
    if begin > now:
        raise InvalidArguments(f"{since or until} is in the future: it is {at(now)} now.", hint="Ask for a past time.")
    if end is not None and end <= begin:
        raise InvalidArguments(f"until ({until}) is not after since ({since}).", hint="Give the earlier one as since.")
    oldest = now - timedelta(days=RETENTION_DAYS)
    gone = end is not None and end <= oldest
    over = end is not None and end <= now
    return Period(
        since=begin if gone else max(begin, oldest),
        until=end if over else None,
        words=_words(since or until, until, begin, end, zone) + ("" if over or end is None else ", so far"),
        zone=zone,
        dated=True,
        asked_since=begin if begin < oldest else None,
        gone=gone,
    )


def _zone(name: str) -> Zone:
    zone = zone_of(name)
    if zone.caveat:
        raise InvalidArguments(f"Time zone {name[:60]!r} is not known.", hint="Give a name such as Europe/Berlin.")
    return zone


def _moment(text: str, name: str, zone: Zone, *, end: bool = False) -> datetime:
    try:
        day = _day(text)
        if day is not None:
            return _midnight(day + timedelta(days=1) if end else day, zone)
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=zone.info)).astimezone(UTC)
    except (ValueError, OverflowError) as exc:  # the second: a day beyond the ends of the calendar
        raise InvalidArguments(
            f"{name} {text[:60]!r} is neither a date nor a time.",
            hint="Give 2026-03-09, or 2026-03-09T22:00:00+01:00.",
        ) from exc


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date, zone: Zone) -> datetime:
    return datetime.combine(day, time(), zone.info).astimezone(UTC)


def _day_before(until: str, end: datetime | None, zone: Zone) -> datetime:
    assert end is not None  # one of the two is given
    day = _day(until)
    return _midnight(day, zone) if day is not None else end - timedelta(days=1)


def _words(since: str, until: str, begin: datetime, end: datetime | None, zone: Zone) -> str:
    utc = f"{at(begin).removesuffix(' UTC')} to {at(end)}" if end else f"since {at(begin)}"
    if _day(since) is None and _day(until) is None:
        return f"from {utc}" if end else utc
    if zone.name == "UTC" and since == until:
        return f"on {since} (UTC)"
    if since == until:
        return f"on {since} ({zone.name}, {utc})"
    named = f"from {since} to {until}" if until else f"since {since}"
    return f"{named} ({zone.name}, {utc})"
