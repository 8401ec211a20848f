"""What is due now for who pays: one mail for each step down, sleep, a last mail, the end; and back.

Pure: how it stands goes in, one verdict comes out. A step down is taken only while nobody is at
fault; a step up always.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from farm.billing.customer_rows import Stage
from farm.billing.holds import GRACE

LAST_WORD: Final = timedelta(days=3)
"""How long before their end people are told for the last time."""
TOP_UP_BELOW: Final = Stage.DAYS
"""From here on the kept card is charged, where its owner said so."""
REACHES: Final[Mapping[Stage, int]] = {Stage.WEEK: 7, Stage.DAYS: 3, Stage.DAY: 1}
"""Days of money left at which each begins."""
MARGIN: Final = 1
"""So many days more lead back: what is spent is not the same each day, and a mail is sent once."""
ORDER: Final = tuple(Stage)


@dataclass(frozen=True, slots=True)
class Seen:
    """How a payer stands. `days_left` below nothing: what is set aside is being used up; None: it
    needs none, or nothing is overdue.

    `frozen`: its agents sleep, whatever it has. `kept`: nothing of it may be lost, as it is frozen
    or a payment of it in dispute. `at_fault`: what is known of its money may be wrong, or not all.
    """

    stage: Stage
    stage_at: datetime
    dry_since: datetime | None
    days_left: Fraction | None
    frozen: bool
    kept: bool
    at_fault: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The stage that it is in now, which of its mails goes out ("" for none), and what is done.

    `asleep` is None where agents are left as they are. `top_up`: its card is to be charged, if its
    owner wants that.
    """

    stage: Stage
    letter: Stage | None = None
    asleep: bool | None = None
    deleted: bool = False
    top_up: bool = False


def decide(seen: Seen, now: datetime) -> Verdict:
    """The one step that is due now; the same again once it is taken changes nothing."""
    up = _level(None if seen.days_left is None else seen.days_left - MARGIN)
    if _is_before(up, seen.stage) and not is_out(up):
        return _verdict(seen, up, None)
    if seen.at_fault:
        return Verdict(seen.stage, asleep=True if seen.frozen else None)
    stage = _next_down(seen, now)
    return _verdict(seen, stage, stage if stage != seen.stage else None)


def is_out(stage: Stage) -> bool:
    """Whether its agents sleep until it pays."""
    return not _is_before(stage, Stage.DRY)


def _verdict(seen: Seen, stage: Stage, letter: Stage | None) -> Verdict:
    below = not _is_before(stage, TOP_UP_BELOW)
    return Verdict(
        stage=stage,
        letter=letter,
        asleep=seen.frozen or is_out(stage),
        deleted=stage == Stage.OVER and not seen.kept,
        top_up=below and not seen.kept and not seen.at_fault,
    )


def _next_down(seen: Seen, now: datetime) -> Stage:
    if not is_out(seen.stage):
        level = _level(seen.days_left)
        return level if _is_before(seen.stage, level) else seen.stage
    dry = now - (seen.dry_since or seen.stage_at)
    if seen.kept:
        return seen.stage
    if seen.stage == Stage.DRY and dry >= GRACE - LAST_WORD:
        return Stage.LAST
    told = now - seen.stage_at >= LAST_WORD
    if seen.stage == Stage.LAST and dry >= GRACE and told:
        return Stage.OVER
    return seen.stage


def _level(days: Fraction | None) -> Stage:
    if days is None:
        return Stage.FINE
    if days < 0:
        return Stage.DRY
    within = [stage for stage, reach in REACHES.items() if days <= reach]
    return within[-1] if within else Stage.FINE


def _is_before(one: Stage, other: Stage) -> bool:
    return ORDER.index(one) < ORDER.index(other)
