"""Taking an invitation up: its guest becomes a member and has an agent, both or neither."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from farm.accounts import services as accounts
from farm.accounts.models import Door, Invitation, User
from farm.accounts.selectors import InvitationState, invitation_state
from farm.accounts.services import invitation_refused
from farm.agents.models import Agent
from farm.agents.services.agents import Asked, make_agent
from farm.agents.services.measure import demand_one_more
from farm.agents.services.paying import checked_charge
from farm.agents.services.wishes import AgentWish, CheckedWish, checked


@dataclass(frozen=True, slots=True)
class Answer:
    """What the guest answers; "" stands for what the invitation offers.

    `region` counts where the invitation left it open. With `model_provider` they bring a key of
    their own instead of the one that is offered.
    """

    name: str
    blueprint: str = ""
    region: str = ""
    language: str = "en"
    model_provider: str = ""
    model_key: str = field(default="", repr=False)


def accept_invitation(*, actor: User, door: Door, invitation: Invitation, answer: Answer) -> Agent:
    """The guest's agent on its way, in the inviting account; Refused leaves the invitation unused.

    A key of the guest's own is checked with its provider before anything is written.
    """
    state = invitation_state(invitation, actor, timezone.now())
    if state != InvitationState.OPEN:
        raise invitation_refused(state)
    demand_one_more(actor)
    account, wish = invitation.account, _wish(invitation, answer)
    before = checked(actor, account, wish) if wish.model_key else None
    with transaction.atomic():
        use = accounts.take_up(actor=actor, door=door, invitation=invitation)
        found = before or checked(actor, account, wish)
        agent = _made(actor, door, invitation, found)
        use.agent_uid = agent.uid
        use.save(update_fields=["agent_uid"])
    return agent


@transaction.atomic
def join_account(*, actor: User, door: Door, invitation: Invitation) -> None:
    """The guest becomes a member without an agent; Refused says why not."""
    accounts.take_up(actor=actor, door=door, invitation=invitation)


def _made(actor: User, door: Door, invitation: Invitation, wish: CheckedWish) -> Agent:
    account = invitation.account
    to = checked_charge(actor, account, invitation.payer_uid, invitation.cost_centre)
    return make_agent(actor, account, door, Asked(wish, to))


def _wish(invitation: Invitation, answer: Answer) -> AgentWish:
    own = bool(answer.model_provider or answer.model_key)
    return AgentWish(
        name=answer.name,
        blueprint=answer.blueprint or invitation.blueprint,
        plan=invitation.plan,
        region=invitation.region or answer.region,
        language=answer.language,
        model_provider=answer.model_provider,
        model_key=answer.model_key,
        payer_uid=invitation.payer_uid,
        cost_centre=invitation.cost_centre,
        shared_key_uid="" if own else invitation.shared_key_uid,
        ai_budget_micros=None if own else invitation.ai_budget_micros,
    )
