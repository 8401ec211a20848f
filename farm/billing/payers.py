"""Who pays for an agent, from which hour on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from farm.accounts.models import Account, User
from farm.billing.customers import customer_of
from farm.billing.models import Assignment, Payer

HOUR = timedelta(hours=1)
SETTLING = timedelta(minutes=1)
"""No transaction lasts that long: an hour that has begun is never charged to a later word."""


class NotThisPayer(Exception):  # noqa: N818
    """There is no such payer in this account, or it pays for nothing new any more."""


def default_payer(account: Account) -> Payer:
    """The account's own payer, made when it is first asked for.

    It collects nothing in the first account and in an operator's; where people pay by Stripe, that
    of any other account is a wallet.
    """
    known = Payer.objects.filter(account=account, is_default=True).first()
    if known:
        return known
    with transaction.atomic():
        told = {"name": account.name, "created_at": timezone.now(), "kind": _first_kind(account)}
        payer, _ = Payer.objects.get_or_create(account=account, is_default=True, defaults=told)
        if payer.kind != Payer.Kind.INTERNAL:
            customer_of(payer)
    return payer


def _first_kind(account: Account) -> Payer.Kind:
    """How the first payer of an account pays, unless who runs the farm says otherwise."""
    earlier = Account.objects.filter(pk__lt=account.pk)
    operated = account.memberships.filter(user__is_superuser=True)
    if not settings.STRIPE_SECRET_KEY or operated.exists() or not earlier.exists():
        return Payer.Kind.INTERNAL
    return Payer.Kind.WALLET


def payer_of(account: Account, uid: str) -> Payer:
    """The account's payer of that uid, its default one for ""; NotThisPayer otherwise."""
    if not uid:
        return default_payer(account)
    payer = Payer.objects.filter(account=account, uid=uid, archived_at=None).first()
    if payer is None:
        raise NotThisPayer(uid)
    return payer


def first_hour_after(at: datetime) -> datetime:
    """The next full hour (UTC) by which whatever is written at `at` is surely there."""
    settled = at.astimezone(UTC) + SETTLING
    return settled.replace(minute=0, second=0, microsecond=0) + HOUR


@transaction.atomic
def assign(
    *,
    agent_uid: str,
    agent_name: str,
    payer: Payer,
    cost_centre: str,
    person: User,
    monthly_micros: int,
    at: datetime,
) -> Assignment:
    """Charge the agent's hours to the payer: from its first one, later from the next full hour.

    What was said before about hours after that one counts no more. `monthly_micros` is what the
    agent may cost in a calendar month at most.
    """
    earlier = Assignment.objects.filter(agent_uid=agent_uid)
    valid_from = first_hour_after(at) if earlier.exists() else at
    earlier.filter(valid_from__gte=valid_from).delete()
    return Assignment.objects.create(
        agent_uid=agent_uid,
        agent_name=agent_name,
        payer=payer,
        cost_centre=cost_centre,
        person=person,
        person_email=person.email,
        valid_from=valid_from,
        monthly_micros=monthly_micros,
    )


@transaction.atomic
def agree_anew(*, agent_uid: str, monthly_micros: int, at: datetime) -> None:
    """From `at` on the agent may cost that in a calendar month at most; whoever pays stays.

    In the month of a change the higher of both counts. Limits count with it from now on.
    """
    said = assignment_at(agent_uid, at)
    Assignment.objects.filter(agent_uid=agent_uid, valid_from__gte=at).update(
        monthly_micros=monthly_micros
    )
    if said and said.valid_from < at:
        said.pk, said.valid_from, said.monthly_micros = None, at, monthly_micros
        said.save(force_insert=True)


def take_back(*, agent_uid: str, monthly_micros: int, since: datetime) -> None:
    """What was agreed on at `since` never came about: it is again what it was, from then on."""
    Assignment.objects.filter(agent_uid=agent_uid, valid_from__gte=since).update(
        monthly_micros=monthly_micros
    )


def hand_back(earlier: Assignment, at: datetime) -> Assignment:
    """From `at`, a full hour to come, on it is again as it was by that earlier word."""
    again = Assignment.objects.get(pk=earlier.pk)
    again.pk, again.valid_from = None, at
    again.save(force_insert=True)
    return again


def assignment_at(agent_uid: str, at: datetime) -> Assignment | None:
    """To whom an hour of the agent that begins at `at` is charged; None before its first."""
    said = Assignment.objects.select_related("payer").filter(agent_uid=agent_uid)
    return said.filter(valid_from__lte=at).order_by("valid_from").last()


def assignments_at(agent_uids: Iterable[str], at: datetime) -> Mapping[str, Assignment]:
    """As `assignment_at` for many agents in one query; one before its first is not in it."""
    said = Assignment.objects.select_related("payer").filter(agent_uid__in=list(agent_uids))
    ordered = said.filter(valid_from__lte=at).order_by("valid_from")
    return {assignment.agent_uid: assignment for assignment in ordered}


def agents_paid_by(payer: Payer, at: datetime) -> Sequence[str]:
    """The uids of the agents, not gone for good, whose hours that begin at `at` it is charged."""
    said = Assignment.objects.filter(valid_from__lte=at, ended_at=None)
    later = said.filter(agent_uid=OuterRef("agent_uid"), valid_from__gt=OuterRef("valid_from"))
    paid = said.filter(~Exists(later), payer=payer).order_by("agent_uid")
    return list(paid.values_list("agent_uid", flat=True))


def payer_at(agent_uid: str, at: datetime) -> Payer | None:
    """Who pays the agent's hours that begin at `at`; None before its first."""
    found = assignment_at(agent_uid, at)
    return found.payer if found else None


def release(*, agent_uid: str, at: datetime) -> None:
    """The agent is gone for good: no limit counts with it any more."""
    Assignment.objects.filter(agent_uid=agent_uid, ended_at=None).update(ended_at=at)
