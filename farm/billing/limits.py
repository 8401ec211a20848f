"""Limits: what a payer lets agents cost in a month, one person's or all; against the worst case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from farm.accounts.models import Account, Role, User
from farm.billing.ai_rows import AiDay
from farm.billing.models import Assignment, Limit, Payer, UsageLine
from farm.billing.rule import month_of


@dataclass(frozen=True, slots=True)
class AiBudget:
    """What an agent may spend on AI in a month; `person_uid` is whom it is for."""

    agent_uid: str
    person_uid: str
    micros: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an agent is to cost a payer in a month at most: its machine, and its AI."""

    agent_uid: str
    machine_micros: int
    ai_micros: int

    @property
    def micros(self) -> int:
        """Both."""
        return self.machine_micros + self.ai_micros


class OverLimit(Exception):  # noqa: N818
    """The agents could cost more than the limit; amounts are net micro-euros a month.

    `used` is what those there may cost at most, `needed` what the limit would have to be;
    `raisers` are the addresses of those who can raise it.
    """

    def __init__(self, limit: Limit, used: int, new: int) -> None:
        super().__init__(f"{limit}: {used} + {new}")
        self.payer = limit.payer
        self.is_for_all = limit.person is None
        self.limit = limit.monthly_micros
        self.used = used
        self.needed = used + new
        self.raisers = raisers_of(limit.payer)


def demand_room(
    payer: Payer, person: User, wanted: Wanted, budgets: Sequence[AiBudget] = ()
) -> None:
    """OverLimit if the agent could take the person, or all, past one of the payer's limits.

    To be called in the transaction that makes it: the limits' rows are held until it ends. What the
    agent has cost already counts once, within its new worst case. `budgets` are those of all agents
    whose AI the payer pays.
    """
    limits = Limit.objects.select_for_update(no_key=True, of=("self",)).order_by("pk")
    now = timezone.now()
    for limit in limits.filter(Q(person=person) | Q(person=None), payer=payer):
        used = committed(payer, limit.person, now, wanted.agent_uid, budgets)
        if used + wanted.micros > limit.monthly_micros:
            raise OverLimit(limit, used, wanted.micros)


def committed(
    payer: Payer,
    person: User | None,
    now: datetime,
    but_agent: str = "",
    budgets: Sequence[AiBudget] = (),
) -> int:
    """What agents may cost this payer in this calendar month, in micro-euros: machines and AI.

    Those of one person, or of all. What is there, now or from a date on, counts at its most, what
    is gone at what it cost. One agent may be left out.
    """
    return machines_committed(payer, person, now, but_agent) + _ai_committed(
        payer, person, now, but_agent, budgets
    )


def machines_committed(
    payer: Payer, person: User | None, now: datetime, but_agent: str = ""
) -> int:
    """The machines' part of `committed`; what traffic cost is in it once it is written."""
    later = Assignment.objects.filter(
        agent_uid=OuterRef("agent_uid"), valid_from__gt=OuterRef("valid_from"), valid_from__lte=now
    )
    living = Assignment.objects.filter(~Exists(later), payer=payer, ended_at=None)
    written = UsageLine.objects.filter(payer=payer, month=month_of(now))
    if person:
        living, written = living.filter(person=person), written.filter(person_uid=person.username)
    most = dict(living.values_list("agent_uid").annotate(most=Max("monthly_micros")))
    gone = written.exclude(agent_uid__in=[*most, but_agent])
    most.pop(but_agent, None)
    return sum(most.values()) + (gone.aggregate(sum=Sum("micros"))["sum"] or 0)


def ai_spent(payer: Payer, person_email: str | None, now: datetime) -> QuerySet[AiDay]:
    """The days of this month's AI that the payer pays, of one person or of all."""
    days = AiDay.objects.filter(payer_uid=payer.uid, day__gte=month_of(now))
    return days if person_email is None else days.filter(person_email=person_email)


def _ai_committed(
    payer: Payer, person: User | None, now: datetime, but_agent: str, budgets: Sequence[AiBudget]
) -> int:
    """A budget that was lowered after it was spent counts at what was spent."""
    days = ai_spent(payer, person.email if person else None, now).exclude(agent_uid=but_agent)
    most = dict(days.values_list("agent_uid").annotate(sum=Sum("cost_micros")).order_by())
    for budget in budgets:
        if budget.agent_uid != but_agent and (not person or budget.person_uid == person.username):
            most[budget.agent_uid] = max(most.get(budget.agent_uid, 0), budget.micros)
    return sum(most.values())


def limits_in(account: Account) -> Mapping[tuple[str, str], Limit]:
    """Every limit of the account's payers, by the payer's uid and whose address, "" for all."""
    limits = Limit.objects.filter(payer__account=account).select_related("payer", "person")
    return {
        (limit.payer.uid, limit.person.email if limit.person else ""): limit for limit in limits
    }


def raisers_of(payer: Payer) -> tuple[str, ...]:
    """The addresses of those who answer for the payer's account, owners first."""
    answering = payer.account.memberships.filter(role__in=(Role.OWNER, Role.ADMIN))
    return tuple(
        membership.user.email
        for membership in answering.select_related("user").order_by("-role", "pk")
    )
