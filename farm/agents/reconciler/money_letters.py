"""Mail about money that runs out: to who can pay, and to whom an agent is for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.translation import gettext, ngettext

from farm.accounts.mail import send
from farm.accounts.models import User
from farm.agents.models import Agent
from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer, Stage
from farm.billing.holds import GRACE
from farm.billing.limits import raisers_of
from farm.billing.models import Payer
from farm.billing.seeing import days_left
from farm.billing.stages import LAST_WORD

logger = logging.getLogger(__name__)
LOW: Final = (Stage.WEEK, Stage.DAYS, Stage.DAY)


def write_of(customer: Customer, stage: Stage, agents: Sequence[Agent], now: datetime) -> bool:
    """One mail to each, once; False if nobody's went out though it should have.

    Without an agent there is nothing to tell.
    """
    if not agents:
        return True
    payers = list(User.objects.filter(email__in=raisers_of(customer.payer)).order_by("pk"))
    sent = [_send(customer, stage, person, agents, now) for person in payers]
    if stage not in LOW:
        members = {agent.owner.pk: agent.owner for agent in agents}
        for member in members.values():
            if member not in payers:
                own = [agent for agent in agents if agent.owner_id == member.pk]
                sent.append(_send(customer, stage, member, own, now))
    return not sent or any(sent)


def _send(
    customer: Customer, stage: Stage, to: User, agents: Sequence[Agent], now: datetime
) -> bool:
    with translation.override(to.language):
        context = _context(customer, stage, to, agents, now)
    template = "money_low" if stage in LOW else f"money_{stage}"
    try:
        send(template=template, to=to.email, language=to.language, context=context)
    except (OSError, SMTPException) as error:
        logger.warning("No mail %s about %s went out: %s", template, customer.payer, error)
        return False
    return True


def _context(
    customer: Customer, stage: Stage, to: User, agents: Sequence[Agent], now: datetime
) -> dict[str, str]:
    raisers = raisers_of(customer.payer)
    ends = (customer.dry_since or now) + GRACE
    last = max(ends, customer.stage_at + LAST_WORD) if stage == Stage.LAST else ends
    names = [agent.name for agent in agents]
    return {
        "payer": customer.payer.name,
        "agents": get_text_list(names, gettext("and")),
        "many": "many" if len(names) > 1 else "",
        "bill": "bill" if customer.payer.kind == Payer.Kind.INVOICE else "",
        "left": _left(customer, now),
        "day": date_format(timezone.localdate(last), "DATE_FORMAT"),
        "raisers": "" if to.email in raisers else ", ".join(raisers),
        "kept": str(GRACE.days),
        "backups": str(settings.BACKUP_AFTER_DELETION_DAYS),
        "url": f"{settings.SITE_URL}/money/",
    }


def _left(customer: Customer, now: datetime) -> str:
    found = days_left(customer, balance_of(customer.payer, now), now)
    days = max(1, round(found)) if found is not None else 1
    return ngettext("%(days)s day is left.", "%(days)s days are left.", days) % {"days": days}
