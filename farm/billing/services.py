"""What changes payers and their limits; each leaves an audit row in the same transaction."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.services import record
from farm.billing.customers import customer_of
from farm.billing.models import Limit, Payer
from farm.billing.payers import default_payer

LONGEST_NAME = 80
MOST_MICROS = 1_000_000 * 1_000_000


@transaction.atomic
def add_payer(*, actor: User, account: Account, door: Door, name: str) -> Payer:
    """One more payer of the account; Refused for a name that is empty, too long or taken.

    Where the account's own payer pays, so does this one, in advance.
    """
    demand(actor, Action.MANAGE_MONEY, account)
    wanted = _checked_name(account, name)
    collects = default_payer(account).kind != Payer.Kind.INTERNAL
    kind = Payer.Kind.WALLET if collects else Payer.Kind.INTERNAL
    payer = Payer.objects.create(account=account, name=wanted, kind=kind, created_at=timezone.now())
    if collects:
        customer_of(payer)
    record(account=account, actor=actor, door=door, verb="add payer", subject=payer.uid)
    return payer


@transaction.atomic
def rename_payer(*, actor: User, door: Door, payer: Payer, name: str) -> None:
    """What statements call it from now on; Refused as for `add_payer`."""
    demand(actor, Action.MANAGE_MONEY, payer.account)
    payer.name = _checked_name(payer.account, name, but=payer)
    payer.save(update_fields=["name"])
    record(account=payer.account, actor=actor, door=door, verb="rename payer", subject=payer.uid)


@transaction.atomic
def set_limit(
    *, actor: User, door: Door, payer: Payer, person: User | None, micros: int | None
) -> None:
    """What a person's agents, or all (None), may cost this payer in a month, machines and AI.

    In micro-euros; None: no limit. It stops no machine that is there already: it refuses what would
    go past it, and every call of AI that would.
    """
    demand(actor, Action.MANAGE_MONEY, payer.account)
    if person and not payer.account.memberships.filter(user=person).exists():
        sentence = _("This person is not in the account: invite them first.")
        raise Refused("person", "person_unknown", sentence)
    if micros is None:
        Limit.objects.filter(payer=payer, person=person).delete()
    elif not 0 <= micros <= MOST_MICROS:
        raise Refused("limit", "limit", _("Give an amount of 0 or more, such as 25 or 25.50."))
    else:
        Limit.objects.update_or_create(
            payer=payer, person=person, defaults={"monthly_micros": micros}
        )
    subject = person.username if person else payer.uid
    record(account=payer.account, actor=actor, door=door, verb="set limit", subject=subject)


def _checked_name(account: Account, name: str, but: Payer | None = None) -> str:
    wanted = " ".join(name.split())
    if not wanted or len(wanted) > LONGEST_NAME or not wanted.isprintable():
        raise Refused("name", "payer_name", _("Give the payer a name of up to 80 letters."))
    named = Payer.objects.filter(account=account, name__iexact=wanted)
    if (named.exclude(pk=but.pk) if but else named).exists():
        raise Refused("name", "payer_taken", _("This account has a payer of that name already."))
    return wanted
