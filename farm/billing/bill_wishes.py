"""What a bill's invoice says: one item for each agent, in the language of who pays."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext

from farm.accounts.models import Role
from farm.billing.amounts import amount
from farm.billing.bill_rows import Bill, BillLine
from farm.billing.bills import BILL
from farm.billing.customer_rows import Customer
from farm.billing.gateway_values import InvoiceWish, Line
from farm.billing.models import Payer
from farm.billing.rule import begin_of, next_month

MOST_ITEMS = 240
"""Stripe's invoices have no more than 250; what is beyond shares one."""


def language_of(payer: Payer) -> str:
    """In which language this payer is written to: that of its account's first owner."""
    owners = payer.account.memberships.filter(role=Role.OWNER).select_related("user")
    first = owners.order_by("pk").first()
    return first.user.language if first else settings.LANGUAGE_CODE


def wish_of(bill: Bill, customer: Customer) -> InvoiceWish:
    """The bill's invoice; without a card it is to be paid by hand."""
    with translation.override(language_of(bill.payer)):
        return InvoiceWish(
            customer=customer.reference,
            lines=_lines(bill),
            what=date_format(bill.month, "F Y"),
            method=customer.card,
            days=None if customer.card else settings.BILL_DAYS,
            with_vat=settings.VAT_REGIME == "top_up",
            metadata={BILL: bill.uid, "payer": bill.payer.uid},
        )


def _lines(bill: Bill) -> Sequence[Line]:
    """An item each; the smallest of very many share one, named as what it is."""
    ordered = sorted(bill.lines.order_by("pk"), key=lambda line: -abs(line.cents))
    alone = sorted(ordered[:MOST_ITEMS], key=lambda line: line.pk)
    together = ordered[MOST_ITEMS:]
    lines = [_line(line, f"{line.agent_uid}:{line.month:%Y-%m}", _what(line)) for line in alone]
    if together:
        last = together[0]
        last.cents = sum(line.cents for line in together)
        what = gettext("%(n)s more agents, each of which is in the statement")
        lines.append(_line(last, "together", what % {"n": len(together)}))
    return lines


def _line(line: BillLine, key: str, what: str) -> Line:
    begins, ends = begin_of(line.month), begin_of(next_month(line.month))
    return Line(key, line.cents, what, begins, ends, {"agent": line.agent_uid})


def _what(line: BillLine) -> str:
    if not line.agent_uid:
        return gettext("Rounding, corrections and what was paid in advance")
    parts = [
        f"{name} {amount(micros, 'EUR')}"
        for name, micros in (
            (gettext("machine"), line.machine_micros),
            (gettext("AI"), line.ai_micros),
            (gettext("fee"), line.fee_micros),
        )
        if micros
    ]
    named = gettext("%(name)s (%(uid)s): %(parts)s") % {
        "name": line.agent_name or line.agent_uid,
        "uid": line.agent_uid,
        "parts": ", ".join(parts),
    }
    if line.month == line.bill.month:
        return named
    late = gettext("%(what)s, known after %(month)s was billed")
    return late % {"what": named, "month": date_format(line.month, "F Y")}
