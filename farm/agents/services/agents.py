"""Wishes about an agent as a whole: create it, delete it, try again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents.changing import put_back
from farm.agents.events import note
from farm.agents.models import Agent, AgentPhase, Message, Operation, OperationKind, OperationStep
from farm.agents.names import free_host
from farm.agents.refusals import Refused
from farm.agents.relay_keys import hash_of, new_relay_key
from farm.agents.services.backups import ask_final_backup, bring_back_what_is_kept
from farm.agents.services.measure import demand_one_more
from farm.agents.services.operations import begin
from farm.agents.services.paying import Charge, charge, checked_charge, demand_waking
from farm.agents.services.rights import (
    demand_membership,
    demand_right,
    demand_right_or_farm,
)
from farm.agents.services.telegram import CheckedBot, attach_bot, checked_bot
from farm.agents.services.wishes import AgentWish, CheckedWish, checked
from farm.billing.selectors import at_most_monthly
from farm.catalog import catalog


def create_agent(*, actor: User, account: Account, door: Door, wish: AgentWish) -> Agent:
    """A new agent on its way. Refused says at which field; PermissionDenied to a stranger.

    The model provider and Telegram are asked before anything is written.
    """
    demand_membership(actor, account)
    demand_one_more(actor)
    checked_wish = checked(actor, account, wish)
    to = checked_charge(actor, account, wish.payer_uid, wish.cost_centre)
    bot = checked_bot(wish.telegram_bot_token) if wish.telegram_bot_token.strip() else None
    return make_agent(actor, account, door, Asked(checked_wish, to, bot))


@dataclass(frozen=True, slots=True)
class Asked:
    """All that was found right about a wish before anything is written."""

    wish: CheckedWish
    to: Charge
    bot: CheckedBot | None = None


@transaction.atomic
def make_agent(actor: User, account: Account, door: Door, asked: Asked) -> Agent:
    """The rows of a new agent, for services that have looked at rights and wish before."""
    demand_one_more(actor)
    now = timezone.now()
    agent = _new_agent(actor, account, asked.wish, now)
    charge(agent, asked.to, now)
    begin(agent, OperationKind.CREATE, now)
    note(agent, "asked", at=now)
    record(account=account, actor=actor, door=door, verb="create agent", subject=agent.uid)
    if asked.bot:
        attach_bot(agent, asked.bot, now)
    return agent


def _new_agent(actor: User, account: Account, wish: CheckedWish, now: datetime) -> Agent:
    relay_key = new_relay_key() if wish.mind.shared_key else ""
    return Agent.objects.create(
        account=account,
        owner=actor,
        name=wish.name,
        host=free_host(wish.name),
        language=wish.language,
        created_at=now,
        blueprint=wish.blueprint.key,
        plan=wish.plan.key,
        region=wish.region.key,
        runtime_version=catalog().runtime_version,
        model_provider=wish.mind.provider,
        model=wish.mind.model,
        model_key=wish.mind.own_key,
        shared_key=wish.mind.shared_key,
        relay_key=relay_key,
        relay_key_hash=hash_of(relay_key),
        ai_budget_micros=wish.mind.budget_micros,
        gateway_token=secrets.token_urlsafe(32),
        restore_from=wish.backup,
        agreed_hourly_micros=wish.quote.rate.hourly_micros,
        agreed_monthly_micros=at_most_monthly(wish.quote.rate),
        agreed_currency=wish.quote.rate.currency,
        phase_since=now,
        due_at=now,
    )


@transaction.atomic
def delete_agent(
    *, actor: User | None, door: Door, agent: Agent, without_backup: bool = False
) -> Operation:
    """Ask for its end, whatever else is under way; asking twice answers the same operation.

    Without an actor it is the farm's own wish. What it has is saved first. `without_backup` does
    not wait for that, also when asked later.
    """
    demand_right_or_farm(actor, door, agent, Action.MANAGE_AGENT)
    agent = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    now = timezone.now()
    if agent.wanted == Agent.Wanted.DELETED:
        if without_backup and agent.saving is not None:
            _give_up_saving(actor, door, agent, now)
        return agent.operations.filter(kind=OperationKind.DELETE).latest("pk")
    put_back(agent)
    _save_first(agent, now, without_backup=without_backup)
    _want(agent, Agent.Wanted.DELETED, now)
    waiting = agent.messages.filter(state=Message.State.QUEUED)
    waiting.update(state=Message.State.FAILED, reason="agent_gone", due_at=None)
    note(agent, "delete_asked", at=now)
    record(account=agent.account, actor=actor, door=door, verb="delete agent", subject=agent.uid)
    operation = begin(agent, OperationKind.DELETE, now)
    if agent.saving and agent.saving.asked_at == now:
        operation.steps.create(key=OperationStep.Key.SAVE, started_at=now)
    return operation


def _save_first(agent: Agent, now: datetime, *, without_backup: bool) -> None:
    agent.restore_from = None
    if without_backup:
        agent.saving = None
    else:
        ask_final_backup(agent, now)
    agent.save(update_fields=["restore_from", "saving"])


def _give_up_saving(actor: User | None, door: Door, agent: Agent, now: datetime) -> None:
    """Its member wants it gone, saved or not."""
    agent.saving, agent.due_at = None, now
    agent.save(update_fields=["saving", "due_at"])
    verb = "delete agent without a backup"
    record(account=agent.account, actor=actor, door=door, verb=verb, subject=agent.uid)


@transaction.atomic
def retry_agent(*, actor: User, door: Door, agent: Agent) -> Operation:
    """A failed agent starts again, with its last backup where no machine of it serves any more.

    `selectors.returns_from` tells which one that is. Refused for one that has not failed.
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    if agent.phase != AgentPhase.FAILED or agent.wanted == Agent.Wanted.DELETED:
        raise Refused("", "not_failed", _("Only an agent that failed can be tried again."))
    now = timezone.now()
    bring_back_what_is_kept(agent)
    demand_waking(agent)
    _want(agent, Agent.Wanted.RUNNING, now)
    note(agent, "retry_asked", at=now)
    record(account=agent.account, actor=actor, door=door, verb="retry agent", subject=agent.uid)
    return begin(agent, OperationKind.CREATE, now)


@transaction.atomic
def restart_agent(*, actor: User, door: Door, agent: Agent) -> Operation:
    """Stop its program and start it anew, with its files written again; its machine stays.

    Refused for an agent that is on its way, failed or leaving.
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    if agent.phase != AgentPhase.RUNNING or agent.wanted == Agent.Wanted.DELETED:
        sentence = _("Only an agent that runs can be restarted; one that failed is tried again.")
        raise Refused("", "not_running", sentence)
    now = timezone.now()
    _want(agent, Agent.Wanted.RUNNING, now)
    note(agent, "restart_asked", at=now)
    record(account=agent.account, actor=actor, door=door, verb="restart agent", subject=agent.uid)
    return begin(agent, OperationKind.RESTART, now)


def _want(agent: Agent, wanted: Agent.Wanted, now: datetime) -> None:
    """Change the spec and ring the bell; nothing that the reconciler writes is touched."""
    agent.wanted = wanted
    agent.generation += 1
    agent.due_at = now
    agent.save(update_fields=["wanted", "generation", "due_at"])
