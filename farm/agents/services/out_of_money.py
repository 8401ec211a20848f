"""Why a payer may not spend, in words: how much is needed, how much is there, and where to pay."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise, lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.agents.refusals import Refused
from farm.billing.amounts import at_most, cents
from farm.billing.limits import raisers_of
from farm.billing.models import Payer
from farm.billing.spending import CannotSpend, NotEnough, OutOfMoney, TooNew

# Numbers and days are spelled in the reader's language, known when the sentence is read.
_cents = lazy(cents, str)
_at_most = lazy(at_most, str)
_day = lazy(date_format, str)


def refused_to_spend(cannot: CannotSpend, currency: str) -> Refused:
    """The refusal that a person reads."""
    match cannot:
        case OutOfMoney() if cannot.payer.kind == Payer.Kind.INVOICE:
            return Refused("", "bill_unpaid", _unpaid(cannot))
        case NotEnough():
            return Refused("", "not_enough_money", _not_enough(cannot, currency))
        case TooNew():
            return Refused("", "payer_too_new", _too_new(cannot))
        case _:
            return Refused("", "payer_frozen", _frozen(cannot))


def _not_enough(cannot: NotEnough, currency: str) -> Promise:
    text = _(
        "This needs {needed} set aside: a day awake and 30 days asleep, so that nothing is lost"
        " when the money runs out. {payer} has {available} free, so {missing} are missing. Pay them"
        " in on the page “Money”, or ask {raisers}."
    )
    return format_lazy(
        text,
        needed=_at_most(cannot.needed, currency),
        available=_cents(cannot.available, currency),
        missing=_at_most(cannot.missing, currency),
        payer=cannot.payer.name,
        raisers=", ".join(raisers_of(cannot.payer)),
    )


def _unpaid(cannot: OutOfMoney) -> Promise:
    text = _(
        "A bill of {payer} is overdue, so its agents sleep. Pay it on the page “Money”, or ask"
        " {raisers}: then they wake."
    )
    return format_lazy(text, payer=cannot.payer.name, raisers=", ".join(raisers_of(cannot.payer)))


def _frozen(cannot: CannotSpend) -> Promise:
    text = _(
        "{payer} is frozen, because a payment of it is in dispute: its agents sleep, and nothing of"
        " them is lost. Ask who runs this farm."
    )
    return format_lazy(text, payer=cannot.payer.name)


def _too_new(cannot: TooNew) -> Promise:
    if cannot.until is None:
        text = _(
            "{payer} is new: until its first payment is {days} days old it has one agent of the"
            " smallest size. Pay in on the page “Money”."
        )
        return format_lazy(text, payer=cannot.payer.name, days=settings.FIRST_PAYMENT_DAYS)
    text = _(
        "{payer} is new: until its first payment is {days} days old, on {day}, it has one agent of"
        " the smallest size."
    )
    return format_lazy(
        text,
        payer=cannot.payer.name,
        days=settings.FIRST_PAYMENT_DAYS,
        day=_day(timezone.localdate(cannot.until), "DATE_FORMAT"),
    )
