"""Parts of a machine that begin and end apart: what a look notes, and the hours that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from farm.agents.spans import PARTS, all_ended, noted, spans_in
from farm.billing.models import Kind, PriceRow
from farm.billing.rule import Hour, Terms, Written, sure_hours
from farm.billing.stays import Stay
from provisioning.provider import Billable, BillableKind, Price

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TERMS = Terms(
    {
        ("s", str(kind)): [
            PriceRow(
                server_uid="s", kind=kind, valid_from=NOON, hourly_micros=100, monthly_micros=None
            )
        ]
        for kind in PARTS
    },
    {},
)


def at(minutes: int) -> datetime:
    return NOON + minutes * MINUTE


def bill(kind: BillableKind, since: datetime | None, hourly: int = 100) -> Billable:
    """One of each kind, so that its kind is its id."""
    price = Price(hourly, None, "EUR")
    return Billable(kind, f"id-{kind}", "", "fr-par-1", "farm-s", None, {}, price, since)


def whole(on_since: datetime | None) -> list[Billable]:
    """A machine as it is made: the cloud tells no age of its address."""
    return [
        bill(BillableKind.SERVER, on_since),
        bill(BillableKind.IPV4, None),
        bill(BillableKind.VOLUME, at(0)),
    ]


def test_each_part_ends_when_it_was_last_seen() -> None:
    text = noted("", whole(at(1)), last_seen=at(0), now=at(2))
    text = noted(text, whole(at(1))[1:], last_seen=at(50), now=at(55))
    text = all_ended(text, last_seen=at(70), now=at(80))
    spans = {
        kind: [(span.since, span.until) for span in found] for kind, found in spans_in(text).items()
    }
    assert spans == {
        "server": [(at(1), at(50))],
        "ipv4": [(at(0), at(70))],
        "volume": [(at(0), at(70))],
    }


def test_what_is_off_costs_from_when_the_cloud_says_and_begins_anew() -> None:
    text = noted("", whole(at(1)), last_seen=at(0), now=at(2))
    off = [bill(BillableKind.SERVER, at(30), hourly=0), *whole(None)[1:]]
    text = noted(text, off, last_seen=at(35), now=at(35))
    again = noted(text, off, last_seen=at(40), now=at(40))
    text = noted(again, whole(at(45)), last_seen=at(50), now=at(50))
    assert again.splitlines()[0].split()[3] == at(30).isoformat()
    assert [(s.since, s.until) for s in spans_in(text)["server"]] == [
        (at(1), at(30)),
        (at(45), None),
    ]
    assert len(spans_in(text)["ipv4"]) == len(spans_in(text)["volume"]) == 1


def test_what_was_only_out_of_sight_goes_on() -> None:
    text = noted("", whole(at(1)), last_seen=at(0), now=at(2))
    text = all_ended(text, last_seen=at(90), now=at(95))
    text = noted(text, whole(at(1)), last_seen=at(99), now=at(99))
    assert [(s.since, s.until) for s in spans_in(text)["volume"]] == [(at(0), None)]
    assert [(s.since, s.until) for s in spans_in(text)["server"]] == [
        (at(1), at(90)),
        (at(90), None),
    ]


def lived() -> Stay:
    """On for half an hour, off for a quarter, on again until 170; address and disk until 200."""
    text = noted("", whole(at(0)), last_seen=at(0), now=at(0))
    off = [bill(BillableKind.SERVER, at(30), hourly=0), *whole(None)[1:]]
    text = noted(text, off, last_seen=at(31), now=at(31))
    text = noted(text, whole(at(45)), last_seen=at(46), now=at(46))
    text = noted(text, whole(None)[1:], last_seen=at(170), now=at(171))
    text = all_ended(text, last_seen=at(200), now=at(201))
    return Stay("s", "", at(0), at(201), gone_at=at(201), spans=spans_in(text))


def counted(lines: Sequence[Hour]) -> dict[str, int]:
    return {str(kind): sum(line.kind == kind for line in lines) for kind in PARTS}


def test_every_time_it_is_on_costs_its_own_started_hours() -> None:
    lines = list(sure_hours([lived()], TERMS, Written(), at(300)))
    assert counted(lines) == {"server": 1 + 3, "ipv4": 4, "volume": 4}
    on = [line.began_at for line in lines if line.kind is Kind.SERVER]
    assert on == [at(0), at(45), at(105), at(165)]


@pytest.mark.parametrize("looks", [[100], [31, 46, 61, 106, 150, 190], list(range(1, 300, 7))])
def test_the_hours_are_the_same_however_often_the_meter_runs(looks: list[int]) -> None:
    whole_life, written = lived(), Written()
    lines: list[Hour] = []
    for minute in [*looks, 300]:
        now = at(minute)
        lines += sure_hours([as_known(whole_life, now)], TERMS, written, now)
    numbers = [(line.kind, line.index, line.began_at) for line in lines]
    at_once = sure_hours([whole_life], TERMS, Written(), at(300))
    assert sorted(numbers) == sorted((x.kind, x.index, x.began_at) for x in at_once)


def as_known(stay: Stay, now: datetime) -> Stay:
    """What of it the farm knew then: the ends that it had been told of, and what had begun."""
    spans = {
        kind: [
            span
            if span.told_at and span.told_at <= now
            else replace(span, until=None, told_at=None)
            for span in found
            if span.since <= now
        ]
        for kind, found in stay.spans.items()
    }
    gone = stay.gone_at if stay.gone_at and stay.gone_at <= now else None
    return replace(stay, spans=spans, gone_at=gone, known_until=gone or now)
