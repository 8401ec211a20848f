"""The mails that a charged card is worth: its bank said no, or wants to see its owner."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.utils import translation

from farm.accounts.mail import send
from farm.billing.amounts import cents
from farm.billing.automatic import problem_of
from farm.billing.bill_wishes import language_of
from farm.billing.customer_rows import TopUp
from farm.billing.statements import CURRENCY
from farm.billing.transfers import CENT

logger = logging.getLogger(__name__)


def write_that_it_failed(top_up: TopUp, *, asks: bool) -> None:
    """Tell who pays what the bank said, and where to pay; `asks`: where the bank asks them."""
    customer = top_up.customer
    payer = customer.payer
    language = language_of(payer)
    with translation.override(language):
        context = {
            "payer": payer.name,
            "amount": cents(top_up.cents * CENT, CURRENCY),
            "card": customer.card_name,
            "problem": str(problem_of(top_up)),
            "url": top_up.url if asks else f"{settings.SITE_URL}/money/",
        }
    template = "top_up_asks" if asks else "top_up_declined"
    try:
        send(template=template, to=customer.email, language=language, context=context)
    except (OSError, SMTPException) as error:
        logger.warning("No mail about %s went out: %s", top_up, error)
