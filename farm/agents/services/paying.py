"""Who pays for an agent: chosen when it is made, changed from the next hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db import transaction
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, Door, InvitationUse, User
from farm.accounts.permissions import Action, may
from farm.accounts.selectors import has_proved_mail
from farm.accounts.services import record
from farm.agents.ai_budgets import ai_budgets_of, ai_payer_of
from farm.agents.events import note
from farm.agents.models import Agent
from farm.agents.placement import agreed_by
from farm.agents.refusals import Refused
from farm.agents.services.out_of_money import refused_to_spend
from farm.agents.services.rights import demand_right
from farm.agents.worst_case import is_smallest, worst_of
from farm.billing.amounts import at_most, cents
from farm.billing.holds import Worst, note_slept
from farm.billing.limits import OverLimit, Wanted, demand_room
from farm.billing.models import Assignment, Payer
from farm.billing.payers import (
    NotThisPayer,
    assign,
    assignment_at,
    first_hour_after,
    hand_back,
    payer_of,
)
from farm.billing.prices import Rate
from farm.billing.selectors import at_most_monthly
from farm.billing.spending import CannotSpend, Spending, spend

LONGEST_CENTRE = 40
# Numbers are spelled in the reader's language, which is known when the sentence is read.
_cents = lazy(cents, str)
_at_most = lazy(at_most, str)


@dataclass(frozen=True, slots=True)
class Charge:
    """A payer of the agent's account, and the cost centre there ("" for none)."""

    payer: Payer
    cost_centre: str


def checked_charge(actor: User, account: Account, payer_uid: str, cost_centre: str) -> Charge:
    """Whom the actor may charge, or Refused.

    Owners and admins choose among the account's payers; a member has the default one, and those
    that an invitation which they took up named.
    """
    centre = " ".join(cost_centre.split())
    if len(centre) > LONGEST_CENTRE or not centre.isprintable():
        sentence = _("A cost centre has up to 40 letters and digits.")
        raise Refused("cost_centre", "cost_centre", sentence)
    try:
        payer = payer_of(account, payer_uid)
    except NotThisPayer:
        sentence = _("There is no such payer in this account: choose another one.")
        raise Refused("payer_uid", "payer_unknown", sentence) from None
    if not _may_charge(actor, account, payer, centre):
        sentence = _("Ask an owner of this account to have this payer charged.")
        raise Refused("payer_uid", "payer_denied", sentence)
    return Charge(payer, centre)


def charge(agent: Agent, to: Charge, at: datetime) -> Assignment:
    """Have the agent paid, in the caller's transaction.

    Refused past the payer's limit, where its wallet does not bear the worst case, and for whom mail
    about that would not reach.
    """
    _demand_proved_mail(to.payer, agent.owner)
    _demand_room(to.payer, agent, agreed_by(agent))
    _hold(to.payer, agent, worst_of(agent), at)
    return assign(
        agent_uid=agent.uid,
        agent_name=agent.name,
        payer=to.payer,
        cost_centre=to.cost_centre,
        person=agent.owner,
        monthly_micros=agent.agreed_monthly_micros,
        at=at,
    )


def demand_change(agent: Agent, agreed: Rate, plan: str, region: str) -> None:
    """Refused if the agent, as it is to be, is past its payer's limit or more than its wallet.

    Of the one who pays from the next hour on, where that was changed.
    """
    now = timezone.now()
    paid = assignment_at(agent.uid, first_hour_after(now))
    if paid is None:
        return
    _demand_room(paid.payer, agent, agreed)
    grows = plan != agent.plan and not is_smallest(plan)
    worst = worst_of(agent, agreed, plan=plan, region=region)
    _hold(paid.payer, agent, worst, now, grows=grows)


def demand_waking(agent: Agent) -> None:
    """Refused if its payer cannot pay it now; else it sleeps no longer by the farm's own word.

    At the price agreed to: limits count with it already, but what was there may be used up.
    """
    now = timezone.now()
    if paid := assignment_at(agent.uid, first_hour_after(now)):
        _hold(paid.payer, agent, worst_of(agent), now)
    note_slept(agent.uid, None)


def demand_ai_room(agent: Agent, budget_micros: int) -> None:
    """Refused if that budget could take its person, or all, past a limit of who pays for its AI."""
    paid = assignment_at(agent.uid, timezone.now())
    payer = ai_payer_of(agent, paid.payer) if paid else None
    if payer and paid:
        machine = paid.monthly_micros if payer == paid.payer else 0
        wanted = Wanted(agent.uid, machine, budget_micros)
        _demand_of(payer, agent, wanted)


def _demand_proved_mail(payer: Payer, person: User) -> None:
    if payer.kind == Payer.Kind.WALLET and not has_proved_mail(person):
        text = _(
            "Nobody has proved yet that mail to {mail} arrives: sign in once with the code that it"
            " brings, then try again."
        )
        sentence = format_lazy(text, mail=person.email)
        raise Refused("", "mail_not_proved", sentence)


def _demand_room(payer: Payer, agent: Agent, agreed: Rate) -> None:
    """Of who pays for its machine, and of who pays for its AI; in one order, whoever they are."""
    ai_payer, budget = ai_payer_of(agent, payer), agent.ai_budget_micros or 0
    own_ai = budget if ai_payer == payer else 0
    wanted = {payer: Wanted(agent.uid, at_most_monthly(agreed), own_ai)}
    if ai_payer and ai_payer != payer:
        wanted[ai_payer] = Wanted(agent.uid, 0, budget)
    for one in sorted(wanted, key=lambda found: found.pk):
        _demand_of(one, agent, wanted[one])


def _demand_of(payer: Payer, agent: Agent, wanted: Wanted) -> None:
    try:
        demand_room(payer, agent.owner, wanted, ai_budgets_of(payer))
    except OverLimit as over:
        raise _over_limit(over, agent.agreed_currency) from None


def _hold(payer: Payer, agent: Agent, worst: Worst, now: datetime, *, grows: bool = False) -> None:
    on = Spending(agent.uid, worst, is_smallest(agent.plan) and not grows, grows=grows)
    try:
        spend(payer, on, now)
    except CannotSpend as cannot:
        raise refused_to_spend(cannot, agent.agreed_currency) from None


@transaction.atomic
def change_payer(
    *, actor: User, door: Door, agent: Agent, payer_uid: str, cost_centre: str, until: date | None
) -> Assignment:
    """Have another payer, or another cost centre, charged from the next full hour (UTC).

    With `until` it is a gift: from that day on whoever pays now pays again. Refused says why not.
    """
    demand_right(actor, agent, Action.PAY_AGENT)
    agent = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    if agent.wanted == Agent.Wanted.DELETED:
        raise Refused("", "agent_gone", _("This agent is being deleted: its payer stays."))
    to, now = checked_charge(actor, agent.account, payer_uid, cost_centre), timezone.now()
    back_to = _checked_end(agent, until, now)
    assignment = charge(agent, to, now)
    if back_to and until:
        hand_back(back_to, datetime.combine(until, time(), tzinfo=UTC))
    note(agent, "payer_changed", at=now, detail=_named(to))
    record(account=agent.account, actor=actor, door=door, verb="change payer", subject=agent.uid)
    return assignment


def _checked_end(agent: Agent, until: date | None, now: datetime) -> Assignment | None:
    """Who pays again once a gift ends; None for a change that is none."""
    if until is None:
        return None
    if until <= first_hour_after(now).date():
        sentence = _("A gift ends on a later day than today: choose one, or leave it empty.")
        raise Refused("until", "gift_ends_too_soon", sentence)
    return assignment_at(agent.uid, now)


def _named(to: Charge) -> str:
    return f"{to.payer.name}, {to.cost_centre}" if to.cost_centre else to.payer.name


def _may_charge(actor: User, account: Account, payer: Payer, centre: str) -> bool:
    if may(actor, Action.MANAGE_MONEY, account) or (payer.is_default and not centre):
        return True
    offered = InvitationUse.objects.filter(user=actor, invitation__account=account)
    named = ["", payer.uid] if payer.is_default else [payer.uid]
    return offered.filter(invitation__payer_uid__in=named, invitation__cost_centre=centre).exists()


def _over_limit(over: OverLimit, currency: str) -> Refused:
    text = _(
        "{payer} pays up to {limit} a month for your agents, AI included. Those you have may cost"
        " {used}, and with this the limit would have to be {needed}. Ask {raisers} to raise it, or"
        " delete an agent first."
    )
    if over.is_for_all:
        text = _(
            "{payer} pays up to {limit} a month for all agents together, AI included. Those there"
            " are may cost {used}, and with this the limit would have to be {needed}. Ask {raisers}"
            " to raise it, or delete an agent first."
        )
    sentence = format_lazy(
        text,
        payer=over.payer.name,
        limit=_cents(over.limit, currency),
        used=_at_most(over.used, currency),
        needed=_at_most(over.needed, currency),
        raisers=", ".join(over.raisers),
    )
    return Refused("", "over_limit", sentence)
