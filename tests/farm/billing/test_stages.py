"""Down by one mail for each step, never while anybody is at fault; and back at once when paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.billing.customer_rows import Stage
from farm.billing.holds import GRACE
from farm.billing.stages import LAST_WORD, Seen, Verdict, decide, is_out

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PLENTY = Seen(
    stage=Stage.FINE,
    stage_at=NOW,
    dry_since=None,
    days_left=Fraction(100),
    frozen=False,
    kept=False,
    at_fault=False,
)


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        (Fraction(701, 100), Stage.FINE),
        (Fraction(7), Stage.WEEK),
        (Fraction(3), Stage.DAYS),
        (Fraction(1), Stage.DAY),
        (Fraction(0), Stage.DAY),
        (Fraction(-1, 1000), Stage.DRY),
    ],
)
def test_each_step_down_has_one_mail(days: Fraction, stage: Stage) -> None:
    verdict = decide(replace(PLENTY, days_left=days), NOW)
    assert verdict.stage == stage
    assert verdict.letter == (stage if stage != Stage.FINE else None)
    again = decide(replace(PLENTY, days_left=days, stage=stage), NOW)
    assert (again.stage, again.letter) == (stage, None)
    assert verdict.asleep == again.asleep == is_out(stage)


def test_a_day_more_than_its_mark_leads_back() -> None:
    for stage, reach in ((Stage.WEEK, 7), (Stage.DAYS, 3), (Stage.DAY, 1), (Stage.DRY, 0)):
        low = replace(PLENTY, stage=stage)
        assert decide(replace(low, days_left=Fraction(10 * reach + 9, 10)), NOW).stage == stage
        back = decide(replace(low, days_left=Fraction(10 * reach + 11, 10)), NOW)
        assert (back.stage, back.letter) != (stage, None)
        assert back.letter is None
    assert decide(replace(PLENTY, stage=Stage.DAY, days_left=None), NOW).stage == Stage.FINE


def test_the_card_is_charged_from_three_days_on() -> None:
    assert not decide(replace(PLENTY, days_left=Fraction(4)), NOW).top_up
    assert decide(replace(PLENTY, days_left=Fraction(3)), NOW).top_up
    assert decide(replace(PLENTY, days_left=Fraction(-9), stage=Stage.DRY), NOW).top_up
    assert not decide(replace(PLENTY, days_left=Fraction(3), at_fault=True), NOW).top_up


def dry(*, days: int, stage: Stage = Stage.DRY, told: int = 0) -> Seen:
    """Dry for so many days, in this stage for so many of them."""
    since, stage_at = NOW - days * DAY, NOW - told * DAY
    return replace(PLENTY, stage=stage, stage_at=stage_at, dry_since=since, days_left=Fraction(-1))


def test_the_last_mail_comes_three_days_before_the_end() -> None:
    assert decide(dry(days=26), NOW).letter is None
    assert decide(dry(days=27), NOW) == Verdict(Stage.LAST, Stage.LAST, asleep=True, top_up=True)
    assert not decide(dry(days=40, stage=Stage.LAST, told=2), NOW).deleted
    assert not decide(dry(days=29, stage=Stage.LAST, told=5), NOW).deleted
    over = decide(dry(days=30, stage=Stage.LAST, told=3), NOW)
    assert (over.stage, over.letter, over.deleted) == (Stage.OVER, Stage.OVER, True)


@pytest.mark.parametrize("stage", [Stage.LAST, Stage.OVER])
def test_nothing_is_deleted_while_a_payment_is_in_dispute(stage: Stage) -> None:
    disputed = replace(dry(days=90, stage=stage, told=60), kept=True)
    assert not decide(disputed, NOW).deleted
    assert decide(disputed, NOW).stage == stage
    assert decide(replace(dry(days=90), kept=True), NOW).stage == Stage.DRY


def test_who_is_frozen_sleeps_whatever_it_has() -> None:
    assert decide(replace(PLENTY, frozen=True, kept=True), NOW).asleep
    assert decide(replace(PLENTY, frozen=True, kept=True, at_fault=True), NOW).asleep
    assert decide(PLENTY, NOW).asleep is False


@dataclass(slots=True)
class Life:
    """What happened to one payer: its row, and what was told and done, by the day."""

    seen: Seen = PLENTY
    now: datetime = NOW
    letters: list[tuple[Stage, datetime]] = field(default_factory=list)

    def live(self, moment: Moment) -> Verdict:
        """Some time goes by, and somebody looks, as a worker does."""
        self.now += moment.later
        before = self.seen = replace(
            self.seen,
            days_left=moment.days_left,
            kept=moment.kept,
            frozen=moment.frozen,
            at_fault=moment.at_fault,
        )
        verdict = decide(before, self.now)
        if verdict.stage != before.stage:
            since = (before.dry_since or self.now) if is_out(verdict.stage) else None
            self.seen = replace(before, stage=verdict.stage, stage_at=self.now, dry_since=since)
        if verdict.letter:
            self.letters.append((verdict.letter, self.now))
        return verdict


@dataclass(frozen=True, slots=True)
class Moment:
    """How things are when somebody looks next."""

    later: timedelta
    days_left: Fraction | None
    kept: bool
    frozen: bool
    at_fault: bool


days = st.one_of(
    st.none(), st.fractions(min_value=-5, max_value=12, max_denominator=8), st.just(Fraction(-1))
)
moments = st.lists(
    st.builds(
        Moment,
        later=st.timedeltas(min_value=timedelta(minutes=1), max_value=9 * DAY),
        days_left=days,
        kept=st.booleans(),
        frozen=st.booleans(),
        at_fault=st.sampled_from([False, False, True]),
    ),
    max_size=40,
)


@given(moments)
def test_however_it_goes_up_and_down(lived: Sequence[Moment]) -> None:
    order, life = list(Stage), Life()
    told: dict[Stage, datetime] = {}
    for moment in lived:
        before = life.seen.stage
        verdict = life.live(moment)
        down = order.index(verdict.stage) > order.index(before)
        assert down == (verdict.letter is not None)
        if moment.at_fault:
            assert not down
            assert not verdict.deleted
            assert verdict.asleep in ((True, False) if verdict.stage != before else (None, True))
        if moment.kept or moment.frozen:
            assert not (verdict.deleted and moment.kept)
        if moment.days_left is None:
            assert verdict.stage == Stage.FINE
        if verdict.letter == Stage.OVER:
            assert life.now - told[Stage.LAST] >= LAST_WORD
            assert life.now - told[Stage.DRY] >= GRACE
        if verdict.letter:
            told[verdict.letter] = life.now
        again = decide(life.seen, life.now)
        assert (again.stage, again.letter) == (verdict.stage, None)
