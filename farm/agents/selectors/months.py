"""A month of money while it is under way: what is written, what has begun, what is to come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from farm.accounts.models import Account, Role, User
from farm.accounts.permissions import role_in
from farm.accounts.selectors import account_chosen
from farm.agents.models import Agent, AgentPhase, DiskCopy, Server
from farm.agents.selectors.asleep import asleep_rate
from farm.agents.selectors.shared_keys import lender_of
from farm.agents.stays import stays_at
from farm.billing.ai_spend import ai_spent_by
from farm.billing.clouds import CloudCost, cloud_cost
from farm.billing.metering import drafts
from farm.billing.models import Payer, UsageLine
from farm.billing.payers import assignment_at, assignments_at, default_payer
from farm.billing.rule import month_of, next_month
from farm.billing.selectors import at_most_monthly
from farm.billing.statements import Statement, month_before, statement
from farm.billing.stays import Stay

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class AgentMonth:
    """One agent's month so far, in micro-units, and who pays for it now.

    `ai_payer` is the name of who pays for its AI, "" where it thinks with its owner's own key.
    `saves` is what a month of it, as it is, awake or asleep, costs at most, which its deletion
    saves; 0 once it is gone.
    """

    agent: Agent
    payer: Payer
    ai_payer: str
    machine: int
    ai: int
    saves: int


@dataclass(frozen=True, slots=True)
class MemberMonth:
    """What a member's agents in an account cost this month, and who pays for them."""

    month: date
    agents: tuple[AgentMonth, ...]

    @property
    def machine(self) -> int:
        """All machines."""
        return sum(one.machine for one in self.agents)

    @property
    def ai(self) -> int:
        """All AI through the relay."""
        return sum(one.ai for one in self.agents)

    @property
    def payers(self) -> tuple[str, ...]:
        """The names of who pays for machines or AI, each once."""
        names = [name for one in self.agents for name in (one.payer.name, one.ai_payer) if name]
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class AccountMonth:
    """What an account's payers pay: this month so far, all of it as it will be, the one before.

    `clouds` is what the clouds charge for its machines this month, and the farm's part of it.
    """

    payers: tuple[Statement, ...]
    forecast: int
    before: int
    clouds: CloudCost

    @property
    def so_far(self) -> int:
        """All payers together."""
        return sum(one.total for one in self.payers)


def member_month(member: User, account: Account, now: datetime) -> MemberMonth:
    """This month of the member's own agents; those that ended in it too."""
    month = month_of(now)
    agents = _living_in(month, Agent.objects.filter(owner=member, account=account))
    return MemberMonth(month, _months(agents, account, now))


def agent_month(agent: Agent, now: datetime) -> AgentMonth:
    """This month of one agent."""
    return _months([agent], agent.account, now)[0]


def account_month(account: Account, now: datetime) -> AccountMonth:
    """This month of everybody whom the account's payers pay for."""
    month = month_of(now)
    begun = open_lines(account, now)
    payers = payers_in(account)
    coming = _coming(account, now)
    so_far = [statement(payer, month, begun) for payer in payers]
    at_its_end = [statement(payer, month, coming) for payer in payers]
    return AccountMonth(
        payers=tuple(so_far),
        forecast=sum(one.ai for one in so_far) + sum(one.machine + one.fee for one in at_its_end),
        before=sum(statement(payer, month_before(month)).total for payer in payers),
        clouds=cloud_cost(month, account.uid, begun),
    )


def month_statement(payer: Payer, month: date, now: datetime) -> Statement:
    """A payer's month; of the one under way, hours that have begun are in it."""
    more = open_lines(payer.account, now) if month >= month_before(month_of(now)) else ()
    return statement(payer, month, more)


def open_lines(account: Account, now: datetime) -> Sequence[UsageLine]:
    """Lines of hours that have begun and are not yet written, as they will be."""
    return drafts(_open_stays(account, now))


def payers_in(account: Account) -> Sequence[Payer]:
    """Every payer of the account, archived ones too, the default first."""
    default_payer(account)
    return list(account.payers.select_related("account").order_by("-is_default", "pk"))


def _months(agents: Sequence[Agent], account: Account, now: datetime) -> tuple[AgentMonth, ...]:
    month, uids = month_of(now), [agent.uid for agent in agents]
    machine, ai = _machines_of(uids, month, now), ai_spent_by(uids, month)
    paid, default = assignments_at(uids, now), default_payer(account)
    payers = {uid: paid[uid].payer if uid in paid else default for uid in uids}
    return tuple(
        AgentMonth(
            agent=agent,
            payer=payers[agent.uid],
            ai_payer=lender_of(agent.shared_key, payers[agent.uid]) if agent.shared_key else "",
            machine=machine.get(agent.uid, 0),
            ai=ai.get(agent.uid, 0),
            saves=_saved_by_deleting(agent),
        )
        for agent in agents
    )


def _saved_by_deleting(agent: Agent) -> int:
    if agent.deleted_at:
        return 0
    asleep = asleep_rate(agent) if agent.phase == AgentPhase.STOPPED else None
    return at_most_monthly(asleep) if asleep else agent.agreed_monthly_micros


def _machines_of(uids: Sequence[str], month: date, now: datetime) -> Mapping[str, int]:
    """What machines cost payers in that month, by agent."""
    written = UsageLine.objects.filter(agent_uid__in=uids, month=month).order_by()
    sums = Counter(dict(written.values_list("agent_uid").annotate(sum=Sum("micros"))))
    servers = Server.objects.filter(agent__uid__in=uids, metered=False)
    copies = DiskCopy.objects.filter(agent__uid__in=uids, metered=False)
    for line in drafts(stays_at(now, servers, copies)):
        if line.month == month:
            sums[line.agent_uid] += line.micros
    return sums


def _living_in(month: date, agents: QuerySet[Agent]) -> Sequence[Agent]:
    began = datetime.combine(month, time(), tzinfo=UTC)
    there = agents.filter(Q(deleted_at=None) | Q(deleted_at__gte=began))
    return list(there.select_related("owner", "account", "shared_key").order_by("pk"))


def _coming(account: Account, now: datetime) -> Sequence[UsageLine]:
    """As `open_lines`, up to the end of the month: machines that are there go on as they are."""
    end = datetime.combine(next_month(month_of(now)), time(), tzinfo=UTC) - MOMENT
    stays = _open_stays(account, now)
    return drafts([stay if stay.ends else replace(stay, known_until=end) for stay in stays])


def _open_stays(account: Account, now: datetime) -> Sequence[Stay]:
    servers = Server.objects.filter(agent__account=account, metered=False)
    return stays_at(now, servers, DiskCopy.objects.filter(agent__account=account, metered=False))


@dataclass(frozen=True, slots=True)
class Paid:
    """Who pays for an agent now, under which cost centre."""

    payer: Payer
    cost_centre: str


def paid_by(agent: Agent) -> Paid:
    """Who pays for the agent now."""
    said = assignment_at(agent.uid, timezone.now())
    return Paid(said.payer, said.cost_centre) if said else Paid(default_payer(agent.account), "")


def other_payer(member: User, chosen: str) -> Payer | None:
    """Who pays for a new agent of the member in the account they act for, unless they do so.

    An owner of the account does.
    """
    account = account_chosen(member, chosen)
    if account is None or role_in(member, account) == Role.OWNER:
        return None
    return default_payer(account)
