"""A cloud's announced changes of prices: told to whom they are for, in force from their date."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format

from farm.accounts.mail import send
from farm.accounts.models import Role, User
from farm.agents.models import Server
from farm.agents.placement import agreed_by, is_within
from farm.billing.amounts import at_most, per_hour
from farm.billing.payers import payer_at
from farm.billing.price_change_rows import PriceChange
from farm.billing.price_changes import is_touched, put_in_force, rate_with
from farm.billing.prices import Rate
from farm.billing.selectors import at_most_monthly, rate_of

logger = logging.getLogger(__name__)


def tell_of_changes(now: datetime) -> None:
    """One mail for each change to whoever has an agent that it is for, or pays for one."""
    for change in PriceChange.objects.filter(told_at=None).order_by("pk"):
        of_person: defaultdict[User, list[Server]] = defaultdict(list)
        for server in _touched(change):
            for person in _people(server, now):
                of_person[person].append(server)
        for person, servers in of_person.items():
            _write(change, person, servers)
        PriceChange.objects.filter(pk=change.pk).update(told_at=now)


def apply_changes(now: datetime) -> None:
    """Those whose date has come, each once; before anything is charged by the old price."""
    due = PriceChange.objects.filter(applied_at=None, told_at__isnull=False, valid_from__lte=now)
    for pk in due.order_by("valid_from").values_list("pk", flat=True):
        with transaction.atomic():
            change = PriceChange.objects.select_for_update(no_key=True).get(pk=pk)
            if change.applied_at is None:
                for server in _touched(change):
                    put_in_force(server.uid, change)
                change.applied_at = now
                change.save(update_fields=["applied_at"])


def _touched(change: PriceChange) -> Sequence[Server]:
    there = Server.objects.filter(
        provider=change.provider,
        server_type=change.server_type,
        location=change.location,
        metered=False,
    )
    rows = there.select_related("agent__account", "agent__owner").order_by("pk")
    return [server for server in rows if is_touched(server.uid, change)]


def _people(server: Server, now: datetime) -> set[User]:
    """Its owner, and those who answer for the account whose payer pays for it."""
    agent = server.agent
    if agent is None or server.gone_at:
        return set()
    payer = payer_at(agent.uid, now)
    account = payer.account if payer else agent.account
    members = account.memberships.filter(role__in=(Role.OWNER, Role.ADMIN))
    return {agent.owner, *(member.user for member in members.select_related("user"))}


def _write(change: PriceChange, person: User, servers: Sequence[Server]) -> None:
    with translation.override(person.language):
        context = {
            "member": person.called,
            "day": date_format(change.valid_from, "DATE_FORMAT"),
            "lines": "\n".join(_line(change, server) for server in servers),
            "url": f"{settings.SITE_URL}/",
            "asked": "yes" if any(_is_beyond(change, server) for server in servers) else "",
        }
    try:
        send(template="price_change", to=person.email, language=person.language, context=context)
    except (OSError, SMTPException) as error:
        logger.warning("No mail about %s went out to %s: %s", change, person, error)


def _line(change: PriceChange, server: Server) -> str:
    name = server.agent.name if server.agent else str(server)
    before = rate_of(server.uid)
    old = _words(before) if before else "-"
    return f"- {name}: {old} -> {_words(rate_with(server.uid, change))}"


def _words(rate: Rate) -> str:
    """0.0072 EUR / h (4.49 EUR): an hour, and a month at most."""
    most = at_most(at_most_monthly(rate), rate.currency)
    return f"{per_hour(rate.hourly_micros, rate.currency)} / h ({most})"


def _is_beyond(change: PriceChange, server: Server) -> bool:
    agent = server.agent
    return agent is not None and not is_within(rate_with(server.uid, change), agreed_by(agent))
