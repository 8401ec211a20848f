"""Random lives, metered by runs that come late, twice, beside each other and half: as an oracle.

BILLING_EXAMPLES tries that many instead of the few of each day.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from farm.billing.rule import Hour, Written, begun_hours, sure_hours
from tests.farm.billing.lives import AGENT, LAST, Life, at, several, terms_at
from tests.farm.billing.oracle import Key, bill, dues

EXAMPLES = int(os.environ.get("BILLING_EXAMPLES", "80"))


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the meter at that minute, which is killed after so many lines, or never."""

    now: int
    lines: int | None


class Table:
    """The lines, as the database keeps them: an hour once, and nobody changes it."""

    def __init__(self) -> None:
        self.lines: dict[Key, Hour] = {}

    def write(self, hour: Hour) -> None:
        """Once; whoever comes second says the same."""
        key = (hour.stay.server_uid, str(hour.kind), hour.index)
        there = self.lines.setdefault(key, hour)
        assert _said(there) == _said(hour)

    def read(self) -> Written:
        """What a run that begins now knows of what is written."""
        written = Written()
        for _, hour in sorted(self.lines.items()):
            written.add(hour)
        return written


runs = st.builds(Run, st.integers(0, LAST), st.none() | st.integers(0, 200))


@settings(max_examples=EXAMPLES, deadline=None)
@given(several, st.integers(0, 20_000), st.lists(runs, max_size=10), st.randoms())
def test_every_line_is_what_an_oracle_counts(
    lives: Sequence[Life], at_most: int, tried: Sequence[Run], dice: Random
) -> None:
    table = Table()
    for pair in pairwise(tried):
        # Their clocks go forth and back: each knows what was known by its own.
        beside = [_lines(lives, at_most, run, table.read()) for run in pair]
        while beside:
            writer = dice.choice(beside)
            hour = next(writer, None)
            if hour is None:
                beside.remove(writer)
            else:
                table.write(hour)
    for hour in _lines(lives, at_most, Run(LAST, None), table.read()):
        table.write(hour)
    _compare(table, lives, at_most)


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(several, st.integers(0, 20_000))
def test_what_has_begun_is_what_will_be_written(lives: Sequence[Life], at_most: int) -> None:
    table = Table()
    stays = [stay for life in lives if (stay := life.known(LAST))]
    for hour in begun_hours(stays, terms_at(lives, at_most, LAST), Written()):
        table.write(hour)
    _compare(table, lives, at_most)


def _lines(lives: Sequence[Life], at_most: int, run: Run, written: Written) -> Iterator[Hour]:
    stays = [stay for life in lives if (stay := life.known(run.now))]
    hours = list(sure_hours(stays, terms_at(lives, at_most, run.now), written, at(run.now)))
    return iter(hours[: run.lines])


def _compare(table: Table, lives: Sequence[Life], at_most: int) -> None:
    expected = dues([life.thing for life in lives])
    assert table.lines.keys() == expected.keys()
    for key, line in table.lines.items():
        due = expected[key]
        assert (line.began_at, line.cloud_micros) == (at(due.began), due.cloud)
        assert (line.cause or "") in ((due.why,) if due.why else ("", "over_cap"))
        assert line.micros <= due.owed or line.kind == "fee"
    assert _charged(table.lines) == {
        month: micros for month, micros in bill(expected, at_most).items() if micros
    }


def _charged(lines: Mapping[Key, Hour]) -> Mapping[tuple[int, int], int]:
    sums: defaultdict[tuple[int, int], int] = defaultdict(int)
    for line in lines.values():
        assert line.stay.agent_uid == AGENT or not line.micros
        sums[line.month.year, line.month.month] += line.micros
    return {month: micros for month, micros in sums.items() if micros}


def _said(hour: Hour) -> tuple[object, ...]:
    return hour.began_at, hour.price.valid_from, hour.cloud_micros, hour.micros, hour.cause
