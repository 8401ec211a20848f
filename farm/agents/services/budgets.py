"""What an agent may spend on AI in a month: asked for by its keeper, granted by who pays."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from farm.accounts.mail import send
from farm.accounts.models import Door, Role, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents.events import note
from farm.agents.models import Agent, BudgetRequest
from farm.agents.refusals import Refused
from farm.agents.services.channels import lock_living
from farm.agents.services.paying import demand_ai_room
from farm.agents.services.rights import demand_right
from farm.agents.services.thinking import MOST_BUDGET
from farm.billing.amounts import cents

logger = logging.getLogger(__name__)


@transaction.atomic
def ask_for_budget(*, actor: User, door: Door, agent: Agent) -> BudgetRequest:
    """Ask for one step more a month; asking twice answers the same request.

    Everybody who may grant it gets a mail. Refused for an agent without a budget.
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent = _with_budget(agent)
    if under_way := agent.budget_requests.filter(state=BudgetRequest.State.OPEN).first():
        return under_way
    asked = BudgetRequest.objects.create(
        agent=agent,
        asked_by=actor,
        asked_at=timezone.now(),
        step_micros=settings.AI_BUDGET_STEP_EUR * 1_000_000,
    )
    note(agent, "budget_asked", at=asked.asked_at)
    record(account=agent.account, actor=actor, door=door, verb="ask budget", subject=agent.uid)
    transaction.on_commit(lambda: _write_to_payers(asked))
    return asked


@transaction.atomic
def decide_budget(*, actor: User, door: Door, request: BudgetRequest, granted: bool) -> bool:
    """Grant or decline, once; False if somebody decided before. Who asked gets a mail.

    Refused past a limit of who pays for its AI.
    """
    demand_right(actor, request.agent, Action.PAY_AGENT)
    now = timezone.now()
    state = BudgetRequest.State.GRANTED if granted else BudgetRequest.State.DECLINED
    if granted:
        demand_ai_room(request.agent, (request.agent.ai_budget_micros or 0) + request.step_micros)
    still_open = BudgetRequest.objects.filter(pk=request.pk, state=BudgetRequest.State.OPEN)
    if not still_open.update(state=state, decided_by=actor, decided_at=now):
        return False
    if granted:
        more = F("ai_budget_micros") + request.step_micros
        Agent.objects.filter(pk=request.agent.pk).update(ai_budget_micros=more)
    agent = request.agent
    note(agent, "budget_granted" if granted else "budget_declined", at=now)
    verb = "grant budget" if granted else "decline budget"
    record(account=agent.account, actor=actor, door=door, verb=verb, subject=agent.uid)
    transaction.on_commit(lambda: _write_to_asker(request, granted=granted))
    return True


@transaction.atomic
def set_budget(*, actor: User, door: Door, agent: Agent, micros: int) -> None:
    """From now on the agent may spend that much a month, in micro-euros; a wish for more is met.

    Less than it has spent already stops it until next month. Refused past a limit of who pays.
    """
    demand_right(actor, agent, Action.PAY_AGENT)
    agent = _with_budget(agent)
    if not 0 < micros <= MOST_BUDGET:
        sentence = _("A budget is more than nothing and at most 100,000 EUR a month.")
        raise Refused("budget", "budget", sentence)
    now = timezone.now()
    if micros > (agent.ai_budget_micros or 0):
        demand_ai_room(agent, micros)
        open_ones = agent.budget_requests.filter(state=BudgetRequest.State.OPEN)
        open_ones.update(state=BudgetRequest.State.GRANTED, decided_by=actor, decided_at=now)
    Agent.objects.filter(pk=agent.pk).update(ai_budget_micros=micros)
    note(agent, "budget_set", at=now)
    record(account=agent.account, actor=actor, door=door, verb="set budget", subject=agent.uid)


def _with_budget(agent: Agent) -> Agent:
    agent = lock_living(agent)
    if agent.shared_key is None:
        sentence = _("This agent thinks with a key of its own, so it has no budget here.")
        raise Refused("", "no_shared_key", sentence)
    return agent


def _write_to_payers(asked: BudgetRequest) -> None:
    agent = asked.agent
    answering = agent.account.memberships.filter(role__in=(Role.OWNER, Role.ADMIN))
    for membership in answering.select_related("user"):
        payer = membership.user
        with translation.override(payer.language):
            budget = cents(agent.ai_budget_micros or 0, "EUR")
            step = cents(asked.step_micros, "EUR")
        context = {
            "agent": agent.name,
            "asker": asked.asked_by.called,
            "budget": budget,
            "step": step,
            "url": f"{settings.SITE_URL}/budget-requests/{asked.uid}/",
        }
        _send("budget_asked", payer, context)


def _write_to_asker(request: BudgetRequest, *, granted: bool) -> None:
    asker = request.asked_by
    context = {
        "agent": request.agent.name,
        "url": f"{settings.SITE_URL}/agents/{request.agent.uid}/",
    }
    _send("budget_granted" if granted else "budget_declined", asker, context)


def _send(template: str, to: User, context: dict[str, str]) -> None:
    """A mail that does not go out stops nothing: the page says the same."""
    try:
        send(template=template, to=to.email, language=to.language, context=context)
    except (OSError, SMTPException) as error:
        logger.warning("No mail %s went out: %s", template, error)
