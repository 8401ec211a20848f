"""The mails that a bill is worth: its card was refused; it is overdue."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.utils import timezone, translation
from django.utils.formats import date_format

from farm.accounts.mail import send
from farm.billing.amounts import cents
from farm.billing.bill_dunning import next_try, problem_of
from farm.billing.bill_rows import Bill
from farm.billing.bill_wishes import language_of
from farm.billing.customer_rows import Customer
from farm.billing.transfers import CENT

logger = logging.getLogger(__name__)


def write_that_it_failed(bill: Bill, customer: Customer) -> None:
    """Tell who pays what the bank said, and when it is asked again; "" for no more."""
    again = next_try(bill)
    with translation.override(language_of(bill.payer)):
        day = date_format(timezone.localtime(again), "DATE_FORMAT") if again else ""
    _write("bill_declined", bill, customer, day)


def write_that_it_is_overdue(bill: Bill, customer: Customer) -> None:
    """Tell who pays what comes of it, and that paying undoes it."""
    _write("bill_overdue", bill, customer)


def _write(template: str, bill: Bill, customer: Customer, again: str = "") -> None:
    language = language_of(bill.payer)
    with translation.override(language):
        context = {
            "payer": bill.payer.name,
            "month": date_format(bill.month, "F Y"),
            "amount": cents((bill.net_cents + bill.tax_cents) * CENT, bill.currency),
            "number": bill.number,
            "url": bill.page,
            "problem": str(problem_of(bill)),
            "again": again,
        }
    try:
        send(template=template, to=customer.email, language=language, context=context)
    except (OSError, SMTPException) as error:
        logger.warning("No mail about %s went out: %s", bill, error)
