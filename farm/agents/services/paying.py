"""Who pays for an agent: chosen when it is made, changed from the next hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, InvitationUse, Role, User
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.billing.amounts import at_most, cents
from farm.billing.limits import OverLimit, demand_room
from farm.billing.models import Payer
from farm.billing.payers import NotThisPayer, assign, payer_of

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


def charge(agent: Agent, to: Charge, at: datetime) -> None:
    """Have the agent paid, in the caller's transaction; Refused past the payer's limit."""
    try:
        demand_room(to.payer, agent.owner, agent.agreed_monthly_micros)
    except OverLimit as over:
        raise _over_limit(over, agent.agreed_currency) from None
    assign(
        agent_uid=agent.uid,
        agent_name=agent.name,
        payer=to.payer,
        cost_centre=to.cost_centre,
        person=agent.owner,
        monthly_micros=agent.agreed_monthly_micros,
        at=at,
    )


def demand_answering(actor: User, account: Account) -> None:
    """PermissionDenied unless the actor answers for the account, or runs the farm."""
    if not answers_for(actor, account):
        raise PermissionDenied


def answers_for(actor: User, account: Account) -> bool:
    """Whether the actor is an owner or admin of the account, or runs the farm."""
    answering = account.memberships.filter(user=actor, role__in=(Role.OWNER, Role.ADMIN))
    return actor.is_superuser or answering.exists()


def _may_charge(actor: User, account: Account, payer: Payer, centre: str) -> bool:
    if answers_for(actor, account) or (payer.is_default and not centre):
        return True
    offered = InvitationUse.objects.filter(user=actor, invitation__account=account)
    named = ["", payer.uid] if payer.is_default else [payer.uid]
    return offered.filter(invitation__payer_uid__in=named, invitation__cost_centre=centre).exists()


def _over_limit(over: OverLimit, currency: str) -> Refused:
    text = _(
        "{payer} pays up to {limit} a month for your machines. Those you have may cost {used}, and"
        " with this one the limit would have to be {needed}. Ask {raisers} to raise it, or delete"
        " an agent first."
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
