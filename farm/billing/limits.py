"""Limits: what a payer lets one person's machines cost in a month, held against the worst case."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery, Sum

from farm.accounts.models import Role, User
from farm.billing.models import Assignment, Limit, Payer


class OverLimit(Exception):  # noqa: N818
    """The person's machines could cost more than the limit; amounts are net micro-euros a month.

    `used` is what the machines there may cost at most, `needed` what the limit would have to be;
    `raisers` are the addresses of those who can raise it.
    """

    def __init__(self, limit: Limit, used: int, new: int) -> None:
        super().__init__(f"{limit}: {used} + {new}")
        self.payer = limit.payer
        self.limit = limit.monthly_micros
        self.used = used
        self.needed = used + new
        self.raisers = raisers_of(limit.payer)


def demand_room(payer: Payer, person: User, monthly_micros_of_new: int) -> None:
    """OverLimit if one more machine could take the person past the payer's limit for them.

    To be called in the transaction that makes it: the limit's row is held until it ends.
    """
    limit = Limit.objects.select_for_update().filter(payer=payer, person=person).first()
    if limit is None:
        return
    used = committed(payer, person)
    if used + monthly_micros_of_new > limit.monthly_micros:
        raise OverLimit(limit, used, monthly_micros_of_new)


def committed(payer: Payer, person: User) -> int:
    """What the person's agents may cost this payer in a calendar month at most, in micro-euros.

    By the latest word about each agent that is not gone.
    """
    same_agent = Assignment.objects.filter(agent_uid=OuterRef("agent_uid"))
    latest = same_agent.order_by("-valid_from").values("pk")[:1]
    living = Assignment.objects.filter(
        payer=payer, person=person, ended_at=None, pk=Subquery(latest)
    )
    return living.aggregate(sum=Sum("monthly_micros"))["sum"] or 0


def raisers_of(payer: Payer) -> tuple[str, ...]:
    """The addresses of those who answer for the payer's account, owners first."""
    answering = payer.account.memberships.filter(role__in=(Role.OWNER, Role.ADMIN))
    return tuple(
        membership.user.email
        for membership in answering.select_related("user").order_by("-role", "pk")
    )
