"""For which times a cloud charges for a machine's parts, where it does so apart: read and noted.

A server's row keeps them as lines of words: kind, the cloud's id, since, until, told at; "-" is no
moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from farm.billing.models import Kind
from farm.billing.stays import Span
from provisioning.provider import Billable

NEVER = "-"
PARTS = (Kind.SERVER, Kind.IPV4, Kind.VOLUME)
"""Of what a machine is made; the copy of its disk has a row of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing at the cloud that a machine is made of, and a time for which it was charged."""

    kind: str
    cloud_id: str
    span: Span


def spans_in(text: str) -> Mapping[str, Sequence[Span]]:
    """Spans by kind, the earliest first; none where nothing was ever noted."""
    found: dict[str, list[Span]] = {}
    for part in sorted(_parts_in(text), key=lambda part: part.span.since):
        found.setdefault(part.kind, []).append(part.span)
    return found


def noted(text: str, bills: Iterable[Billable], *, last_seen: datetime, now: datetime) -> str:
    """The lines after a look at what the cloud charges for now of one machine.

    What began since, and of which the cloud does not tell when, began at `last_seen`; so did what
    is not there any more end.
    """
    there = {bill.id: bill for bill in bills if str(bill.kind) in PARTS}
    parts = [_as_of_now(part, there.get(part.cloud_id), last_seen, now) for part in _parts_in(text)]
    going_on = {part.cloud_id for part in parts if part.span.until is None}
    parts += [
        Part(bill.kind, bill.id, Span(_begun(bill, parts) or last_seen))
        for bill in there.values()
        if bill.price.hourly and bill.id not in going_on
    ]
    return "\n".join(map(_line, parts))


def all_ended(text: str, *, last_seen: datetime, now: datetime) -> str:
    """The lines once the cloud shows nothing of the machine any more."""
    return noted(text, (), last_seen=last_seen, now=now)


def _begun(bill: Billable, parts: Sequence[Part]) -> datetime | None:
    """When it began to cost, as its cloud tells, and not before it last ended."""
    ends = [part.span.until for part in parts if part.cloud_id == bill.id]
    return max(filter(None, [bill.since, *ends]), default=None)


def _as_of_now(part: Part, bill: Billable | None, last_seen: datetime, now: datetime) -> Part:
    span = part.span
    if bill and bill.price.hourly:
        # What was out of sight only goes on; what was off began anew.
        was_off = span.until and part.kind == Kind.SERVER
        return part if was_off else replace(part, span=Span(span.since))
    if span.until is not None:
        return part
    # A machine that is off is still there, and its cloud tells since when.
    until = max(span.since, (bill.since if bill else None) or last_seen)
    return replace(part, span=Span(span.since, until, now))


def _parts_in(text: str) -> Sequence[Part]:
    return [_part(line.split()) for line in text.splitlines()]


def _part(words: Sequence[str]) -> Part:
    kind, cloud_id, since, until, told_at = words
    return Part(
        kind, cloud_id, Span(datetime.fromisoformat(since), _moment(until), _moment(told_at))
    )


def _moment(word: str) -> datetime | None:
    return None if word == NEVER else datetime.fromisoformat(word)


def _line(part: Part) -> str:
    moments = (part.span.since, part.span.until, part.span.told_at)
    told = (moment.isoformat() if moment else NEVER for moment in moments)
    return " ".join((part.kind, part.cloud_id, *told))
