"""Looking after agents that run: does each answer, and what is tried when one does not."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone

from farm.agents.events import note
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, AgentPhase, Server, Watch
from farm.agents.pace import patience
from farm.agents.reconciler.alarms import tell_of_silence
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.troubles import Nap, distrust, jitter
from farm.agents.schedules import note_talk
from provisioning import runtime
from provisioning.errors import HostKeyMismatch, ProvisioningError, Transient
from provisioning.watching import Silence, is_to_restart, is_to_tell

SILENCE = ("looked_at", "silent_since", "why", "restarts", "last_restart_at", "told_at")


def watched() -> Q:
    """Agents that should answer: they run, and nothing else is wanted of them."""
    running = Agent.objects.filter(
        phase=AgentPhase.RUNNING,
        wanted=Agent.Wanted.RUNNING,
        fulfilled_generation=F("generation"),
    )
    return Q(agent__in=running.values("pk"))


def watch_over(agent: Agent, now: datetime) -> None:
    """It has just answered: look again in a while. In the transaction of whoever saw it."""
    fresh = {"silent_since": None, "last_restart_at": None, "told_at": None, "restarts": 0}
    due = now + patience().look_every
    Watch.objects.update_or_create(
        agent=agent, defaults={**fresh, "why": "", "looked_at": now, "due_at": due}
    )


def drive_watch(claim: Claim[Watch]) -> Nap:
    """Look once; what is wrong is tried to be mended, and told to people once."""
    server = machine_of(claim.row.agent)
    if server is None:
        return None
    try:
        why = _look(claim.row.agent, server)
    except HostKeyMismatch as error:
        distrust(server, error)
        return None
    claim.row.looked_at = timezone.now()
    return _answers(claim) if not why else _silent(claim, server, why)


def _look(agent: Agent, server: Server) -> str:
    """Why it does not answer; "" when it does. No turn is taken: that would cost its payer."""
    try:
        with shell_of(server) as shell:
            shown = runtime.readiness(shell, agent.gateway_token)
    except HostKeyMismatch:
        raise
    except ProvisioningError as error:
        return str(error)
    if shown.talked_at:
        note_talk(agent, shown.talked_at, timezone.now())
    return "" if shown.good else shown.why or "It is not ready."


def _answers(claim: Claim[Watch]) -> Nap:
    watch, now = claim.row, timezone.now()
    with claim.recording():
        if watch.restarts:
            note(watch.agent, "answers_again", at=now)
        watch.silent_since = watch.last_restart_at = watch.told_at = None
        watch.why, watch.restarts = "", 0
        claim.save(*SILENCE)
    # Agents that were woken together must not be looked at together for ever.
    return patience().look_every * (0.9 + jitter() / 5)


def _silent(claim: Claim[Watch], server: Server, why: str) -> Nap:
    watch, now = claim.row, timezone.now()
    watch.silent_since, watch.why = watch.silent_since or now, why[:300]
    with claim.recording():
        claim.save(*SILENCE)
    if is_to_tell(_silence(watch), now, patience()):
        _tell(claim)
    if is_to_restart(_silence(watch), now, patience()):
        _restart(claim, server)
    return patience().look_every if watch.told_at else patience().hiccup / 2


def _silence(watch: Watch) -> Silence:
    return Silence(
        since=watch.silent_since or timezone.now(),
        restarts=watch.restarts,
        last_restart_at=watch.last_restart_at,
        told=watch.told_at is not None,
    )


def _restart(claim: Claim[Watch], server: Server) -> None:
    """The try is written down before it is made: a crash in it must not make it endless."""
    watch, now = claim.row, timezone.now()
    watch.restarts, watch.last_restart_at = watch.restarts + 1, now
    with claim.recording():
        claim.save(*SILENCE)
        note(watch.agent, "restart_tried", at=now, detail=watch.why)
    try:
        with shell_of(server) as shell:
            runtime.restart(shell)
    except Transient as error:
        with claim.recording():
            note(watch.agent, "restart_impossible", at=timezone.now(), detail=str(error))


def _tell(claim: Claim[Watch]) -> None:
    """A mail that does not go out is tried again at the next look."""
    watch = claim.row
    if not tell_of_silence(watch):
        return
    watch.told_at = timezone.now()
    with claim.recording():
        claim.save(*SILENCE)
        note(watch.agent, "silence_told", at=watch.told_at)
