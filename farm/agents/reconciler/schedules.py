"""Schedules: an agent is put to sleep and woken by the rules that its people set."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from farm.accounts.models import Door
from farm.agents.events import note
from farm.agents.models import Agent, Schedule
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.troubles import Nap
from farm.agents.refusals import Refused
from farm.agents.saving import serving_machine
from farm.agents.schedules import note_talk, rules_of, seen_of
from farm.agents.services.sleep import stop_agent, wake_agent
from provisioning import runtime
from provisioning.errors import ProvisioningError, Rejected
from provisioning.schedules import BUSY, Boundary, State, Why, decide
from provisioning.ssh import Shell

AGAIN = timedelta(minutes=10)
EVENTS = {
    (State.ASLEEP, Why.HOURS): "slept_by_hours",
    (State.ASLEEP, Why.KEPT): "slept_by_hours",
    (State.ASLEEP, Why.IDLE): "slept_when_idle",
    (State.AWAKE, Why.HOURS): "woken_by_hours",
}


def of_living() -> Q:
    """Those of agents that are not deleted; one that comes back has its schedule again."""
    living = Agent.objects.exclude(wanted=Agent.Wanted.DELETED)
    return Q(agent__in=living.values("pk"))


def drive_schedule(claim: Claim[Schedule]) -> Nap:
    """Do what its rules want now, once, and say when to look again."""
    row, now = claim.row, timezone.now()
    verdict = decide(rules_of(row), seen_of(row.agent, row), now)
    if verdict.due and verdict.due.state is State.ASLEEP:
        if _is_at_work(row.agent, now):
            return BUSY
        # It may have been talked to since it was last looked at.
        verdict = decide(rules_of(row), seen_of(row.agent, row), now)
    if verdict.due:
        try:
            _follow(claim, verdict.due, now)
        except Refused as refused:
            _note_refusal(claim, refused)
            return AGAIN
    return verdict.look_at - now


def _is_at_work(agent: Agent, now: datetime) -> bool:
    """Its program's own word, of chat apps too; one that cannot be spoken to answers nobody."""
    server = serving_machine(agent)
    if server is None:
        return False
    try:
        with shell_of(server) as shell:
            at_work = _has_work(shell, agent.gateway_token)
            shown = runtime.readiness(shell, agent.gateway_token)
    except ProvisioningError:
        return False
    if shown.talked_at:
        note_talk(agent, shown.talked_at, now)
    return at_work


def _has_work(shell: Shell, gateway_token: str) -> bool:
    """A program too old for the question has not said so."""
    try:
        return runtime.is_at_work(shell, gateway_token)
    except Rejected:
        return False


def _follow(claim: Claim[Schedule], due: Boundary, now: datetime) -> None:
    change = stop_agent if due.state is State.ASLEEP else wake_agent
    row = claim.row
    with claim.recording():
        change(actor=None, door=Door.FARM, agent=row.agent)
        note(row.agent, EVENTS[due.state, due.why], at=now)
        row.reason = row.reason_detail = ""
        claim.save("reason", "reason_detail")


def _note_refusal(claim: Claim[Schedule], refused: Refused) -> None:
    """Its page says so; it is tried again, until the next boundary or somebody's wish."""
    row = claim.row
    row.reason, row.reason_detail = refused.code, str(refused.sentence)[:500]
    with claim.recording():
        claim.save("reason", "reason_detail")
