"""Every line of use in words: its hour, its price, the rule that made it, and whose cost it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from farm.billing.ai_rows import AiDay
from farm.billing.amounts import to_the_micro
from farm.billing.models import Cause, Kind, PriceRow, UsageLine
from farm.billing.statements import CURRENCY


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line, exact to the millionth: what it is, its price, why it is that much, who bears it.

    `key` names it within its page.
    """

    key: str
    day: str
    time: str
    what: str
    amount: str
    price: str
    rule: str
    bearer: str


def line_rows(lines: Iterable[UsageLine]) -> tuple[LineRow, ...]:
    """Hours of machines and of disks' copies; reads each line's price and payer."""
    return tuple(_line(line) for line in lines)


def ai_rows(days: Iterable[AiDay]) -> tuple[LineRow, ...]:
    """Days of AI, a line for each model."""
    return tuple(_day(day) for day in days)


def _line(line: UsageLine) -> LineRow:
    return LineRow(
        key=f"{line.server_uid}-{line.kind}-{line.hour_index}",
        day=f"{line.began_at.astimezone(UTC):%Y-%m-%d}",
        time=f"{line.began_at.astimezone(UTC):%H:%M}",
        what=str(Kind(line.kind).label),
        amount=to_the_micro(line.micros, line.currency),
        price=_price(line.price),
        rule=_rule(line),
        bearer=_bearer(line),
    )


def _price(row: PriceRow) -> str:
    """As it was pinned: 0.006400 EUR an hour, at most 3.990000 EUR a month, since 3 November."""
    since = date_format(row.valid_from.astimezone(UTC), "j F Y")
    monthly = None if row.monthly_micros is None else to_the_micro(row.monthly_micros, row.currency)
    values = {
        "hourly": to_the_micro(row.hourly_micros, row.currency),
        "monthly": monthly,
        "since": since,
    }
    if row.kind == Kind.SNAPSHOT and monthly:
        return gettext("%(monthly)s a month, price of %(since)s") % values
    if monthly:
        text = gettext("%(hourly)s an hour, at most %(monthly)s a month, price of %(since)s")
        return text % values
    return gettext("%(hourly)s an hour, price of %(since)s") % values


def _rule(line: UsageLine) -> str:
    """What made the amount of the price."""
    if line.kind == Kind.FEE:
        return gettext("the farm's fee for this hour")
    if line.kind == Kind.SNAPSHOT and line.price.monthly_micros is not None:
        return gettext("this hour's share of the month")
    if line.capped:
        text = gettext("its monthly price is reached: the cloud charges %(cloud)s for this hour")
        return text % {"cloud": to_the_micro(line.cloud_micros, line.currency)}
    return gettext("a started hour counts in full")


def _bearer(line: UsageLine) -> str:
    """Who pays, and of what is the farm's own cost, why."""
    borne = line.cloud_micros - line.micros if line.kind != Kind.FEE else 0
    payer = line.payer.name if line.payer else ""
    if not line.cause:
        return gettext("paid by %(payer)s") % {"payer": payer} if payer else ""
    values = {
        "cause": str(Cause(line.cause).label),
        "borne": to_the_micro(borne, line.currency),
        "payer": payer,
    }
    if line.micros:
        text = gettext("paid by %(payer)s; the farm bears %(borne)s: %(cause)s")
        return text % values
    return gettext("the farm bears %(borne)s: %(cause)s") % values


def _day(day: AiDay) -> LineRow:
    text = ngettext("AI: %(model)s, %(n)s call", "AI: %(model)s, %(n)s calls", day.calls)
    return LineRow(
        key=f"ai-{day.pk}",
        day=f"{day.day:%Y-%m-%d}",
        time="",
        what=text % {"model": day.model, "n": day.calls},
        amount=to_the_micro(day.cost_micros, CURRENCY),
        price=gettext("%(input)s tokens read, %(output)s written, at its provider's price")
        % {"input": day.input_tokens, "output": day.output_tokens},
        rule=_unseen(day),
        bearer="",
    )


def _unseen(day: AiDay) -> str:
    if not day.unseen_micros:
        return ""
    text = gettext("of that %(unseen)s at most for calls cut off before their use was known")
    return text % {"unseen": to_the_micro(day.unseen_micros, CURRENCY)}
