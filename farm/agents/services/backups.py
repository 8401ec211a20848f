"""Wishes about what is kept of an agent: back it up, bring it back, give up the last backup."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents.copies import is_kept
from farm.agents.events import note
from farm.agents.machine_of import machine_of, serves_no_more
from farm.agents.models import (
    Agent,
    AgentPhase,
    Backup,
    BackupKind,
    BackupState,
    Change,
    Operation,
    OperationKind,
    OperationStep,
)
from farm.agents.refusals import Refused
from farm.agents.relay_keys import hash_of, new_relay_key
from farm.agents.saving import (
    UNDER_WAY,
    ask_backup,
    comes_on_again,
    last_good,
    serving_machine,
    waits_for_word,
)
from farm.agents.selectors.money import Quote, offer_for
from farm.agents.selectors.rights import may_with
from farm.agents.services.measure import demand_one_more
from farm.agents.services.operations import begin
from farm.agents.services.paying import Charge, charge, checked_charge, demand_waking
from farm.agents.services.rights import demand_right
from farm.agents.services.thinking import Mind, MindWish, checked_mind
from farm.billing.payers import assignment_at
from farm.billing.selectors import at_most_monthly
from farm.catalog import catalog

RESTING = (AgentPhase.STOPPING, AgentPhase.STOPPED, AgentPhase.WAKING)


@transaction.atomic
def back_up(*, actor: User, door: Door, agent: Agent) -> Backup:
    """Ask for a backup now; one that was asked for and is not made yet is answered again."""
    demand_right(actor, agent, Action.BACK_UP_AGENT)
    agent = _lock(agent)
    _demand_staying(agent)
    waiting = agent.backups.filter(kind=BackupKind.DEMAND, state__in=UNDER_WAY).first()
    if waiting:
        return waiting
    if serving_machine(agent) is None:
        sentence = _("It has no machine that could be backed up now: try again once it runs.")
        raise Refused("", "nothing_to_back_up", sentence)
    record(account=agent.account, actor=actor, door=door, verb="back up agent", subject=agent.uid)
    return ask_backup(agent, BackupKind.DEMAND, timezone.now())


@transaction.atomic
def restore_agent(*, actor: User, door: Door, agent: Agent, backup: Backup) -> Operation:
    """Have the agent be as it was in one of its own backups; what it has now is saved first."""
    demand_right(actor, agent, Action.RESTORE_AGENT)
    agent = _lock(agent)
    _demand_staying(agent)
    if agent.wanted == Agent.Wanted.STOPPED and agent.phase != AgentPhase.FAILED:
        sentence = _("It is asleep: wake it first, then restore it.")
        raise Refused("", "agent_asleep", sentence)
    if agent.phase not in (AgentPhase.RUNNING, AgentPhase.FAILED):
        sentence = _("It is on its way: wait until it answers, then restore it.")
        raise Refused("", "not_settled", sentence)
    if Change.objects.filter(agent=agent).exists():
        sentence = _("A change of its machine is under way: wait for it, or take it back first.")
        raise Refused("", "change_under_way", sentence)
    _demand_usable(backup, agent)
    demand_waking(agent)
    now = timezone.now()
    agent.restore_from = backup
    there = serving_machine(agent)
    agent.saving = ask_backup(agent, BackupKind.SAFETY, now) if there else None
    _want_it_running(agent, now)
    note(agent, "restore_asked", at=now)
    record(account=agent.account, actor=actor, door=door, verb="restore agent", subject=agent.uid)
    operation = begin(agent, OperationKind.RESTORE, now)
    if there:
        operation.steps.create(key=OperationStep.Key.SAVE, started_at=now)
    return operation


def bring_back(*, actor: User, door: Door, agent: Agent, model_key: str = "") -> Operation:
    """Have a deleted agent again, at its address, from its last backup, on a machine at today's
    price. Its model key went with it, so one of the member's own is needed anew.
    """
    demand_right(actor, agent, Action.RESTORE_AGENT)
    demand_one_more(agent.owner)
    quote = offer_for(agent.plan, agent.region)
    if quote is None:
        sentence = _("Its price is not known yet, so nothing is bought: try again in a minute.")
        raise Refused("", "price_unknown", sentence)
    mind = checked_mind(actor, agent.account, _mind_wish(agent, model_key))
    return _open_again(actor, door, agent, mind, quote)


@transaction.atomic
def _open_again(actor: User, door: Door, agent: Agent, mind: Mind, quote: Quote) -> Operation:
    agent = _lock(agent)
    demand_one_more(agent.owner)
    backup = last_good(agent)
    if agent.phase != AgentPhase.DELETED or agent.wanted != Agent.Wanted.DELETED:
        raise Refused("", "not_deleted", _("Only an agent that was deleted can be brought back."))
    if backup is None:
        raise Refused("", "backup_gone", _("Nothing of it is kept any more."))
    _demand_usable(backup, agent)
    now = timezone.now()
    to = _charge_before(actor, agent)
    agent.restore_from, agent.saving = backup, None
    _renew(agent, mind, quote)
    charge(agent, to, now)
    _want_it_running(agent, now)
    note(agent, "bring_back_asked", at=now)
    record(
        account=agent.account, actor=actor, door=door, verb="bring agent back", subject=agent.uid
    )
    return begin(agent, OperationKind.RESTORE, now)


@transaction.atomic
def save_again(*, actor: User, door: Door, agent: Agent) -> None:
    """Try the backup before a deletion once more; content unless that is what it waits for."""
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent, now = _lock(agent), timezone.now()
    if not waits_for_word(agent, now):
        return
    if serving_machine(agent) is None:
        sentence = _("It is asleep, so no more can be saved: delete it without a backup.")
        raise Refused("", "asleep_unsaved", sentence)
    ask_final_backup(agent, now)
    agent.due_at = now
    agent.save(update_fields=["saving", "due_at"])
    record(account=agent.account, actor=actor, door=door, verb="back up agent", subject=agent.uid)


def ask_final_backup(agent: Agent, now: datetime) -> None:
    """Have what it has saved before it goes, if there is anything; the caller saves the row.

    Of one whose disk alone is kept all that can be was saved before its sleep, or was not.
    """
    if serving_machine(agent) or comes_on_again(agent):
        agent.saving = ask_backup(agent, BackupKind.FINAL, now)
    elif not (is_kept(agent) or agent.phase in RESTING):
        agent.saving = None


def bring_back_what_is_kept(agent: Agent) -> None:
    """An agent whose machine is lost is never begun anew, empty, while a backup of it is kept.

    In the caller's transaction. Nothing changes for one whose machine, or its disk, is there.
    """
    if agent.restore_from is None and serves_no_more(machine_of(agent)) and not is_kept(agent):
        agent.restore_from = last_good(agent)
        agent.save(update_fields=["restore_from"])


def checked_backup(actor: User, account: Account, uid: str) -> Backup:
    """A backup of that account for a new agent, or Refused at its field."""
    found = Backup.objects.filter(uid=uid, agent__account=account).select_related("agent").first()
    if found is None or not may_with(actor, found.agent, Action.RESTORE_AGENT):
        sentence = _("There is no such backup: choose another one.")
        raise Refused("backup_uid", "backup_unknown", sentence)
    _demand_kept(found, catalog().runtime_version)
    return found


def _demand_usable(backup: Backup, agent: Agent) -> None:
    if backup.agent != agent:
        sentence = _("This is another agent's backup: make a new agent from it.")
        raise Refused("", "backup_of_another", sentence)
    renewed = agent.phase == AgentPhase.DELETED
    _demand_kept(backup, catalog().runtime_version if renewed else agent.runtime_version)


def _demand_kept(backup: Backup, version: str) -> None:
    if backup.state != BackupState.KEPT:
        raise Refused("", "backup_gone", _("This backup is not kept any more: choose another one."))
    if _number(backup.runtime_version) > _number(version):
        sentence = _("This backup is of a newer version than the agent runs: choose an older one.")
        raise Refused("", "backup_newer", sentence)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdecimal())


def _demand_staying(agent: Agent) -> None:
    if agent.wanted == Agent.Wanted.DELETED:
        raise Refused("", "agent_gone", _("This agent is being deleted."))


def _mind_wish(agent: Agent, model_key: str) -> MindWish:
    shared = agent.shared_key
    if shared and shared.revoked_at is None and not model_key:
        return MindWish(shared_key_uid=shared.uid, ai_budget_micros=agent.ai_budget_micros)
    return MindWish(model_provider=agent.model_provider, model_key=model_key)


def _charge_before(actor: User, agent: Agent) -> Charge:
    """Who paid for it before, as far as the actor may charge them; else the default payer."""
    paid = assignment_at(agent.uid, agent.deleted_at or agent.created_at)
    try:
        payer, centre = (paid.payer.uid, paid.cost_centre) if paid else ("", "")
        return checked_charge(actor, agent.account, payer, centre)
    except Refused:
        return checked_charge(actor, agent.account, "", "")


def _renew(agent: Agent, mind: Mind, quote: Quote) -> None:
    """What a new agent would be given; nothing of this survived its deletion."""
    agent.runtime_version = catalog().runtime_version
    agent.model_provider, agent.model, agent.model_key = mind.provider, mind.model, mind.own_key
    agent.shared_key, agent.ai_budget_micros = mind.shared_key, mind.budget_micros
    agent.relay_key = new_relay_key() if mind.shared_key else ""
    agent.relay_key_hash = hash_of(agent.relay_key)
    agent.gateway_token = secrets.token_urlsafe(32)
    agent.agreed_hourly_micros = quote.rate.hourly_micros
    agent.agreed_monthly_micros = at_most_monthly(quote.rate)
    agent.agreed_currency = quote.rate.currency
    agent.save()


def _want_it_running(agent: Agent, now: datetime) -> None:
    agent.wanted, agent.due_at = Agent.Wanted.RUNNING, now
    agent.generation += 1
    agent.save(update_fields=["wanted", "generation", "due_at", "restore_from", "saving"])


def _lock(agent: Agent) -> Agent:
    return Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
