"""How an agent fails: with a reason, at nobody's cost, and with a way back."""

from __future__ import annotations

from django.utils import timezone

from farm.agents.events import note
from farm.agents.machine_of import machine_of, on_trial
from farm.agents.models import (
    Agent,
    AgentPhase,
    Message,
    OperationState,
    Power,
    Server,
    ServerPhase,
)
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.going_back import give_up_trial, settle_change
from farm.agents.reconciler.letters import write_that_it_is_lost
from farm.agents.reconciler.marks import MOVED, end_operation, move_agent
from farm.agents.reconciler.troubles import Nap
from provisioning.steps import SetUp


def fail(claim: Claim[Agent], reason: str, detail: str = "") -> Nap:
    """The wish has failed; a machine that never served goes, one with a member's work stays.

    Where the one that it had before is still there the agent goes back to that instead.
    """
    agent, now = claim.row, timezone.now()
    if on_trial(agent):
        return give_up_trial(claim, reason, detail)
    with claim.recording():
        settle_change(claim, reason, detail)
        move_agent(agent, AgentPhase.FAILED, now, reason=reason)
        agent.reason_detail = detail[:500]
        # A change asked for during this step fails with it: only a new try starts the agent again.
        agent.refresh_from_db(fields=["generation", "wanted"])
        if agent.wanted == Agent.Wanted.DELETED:
            # A deletion asked for meanwhile goes on.
            agent.wanted = Agent.Wanted.RUNNING
        agent.step, agent.fulfilled_generation = "", agent.generation
        claim.save("step", "fulfilled_generation", *MOVED)
        note(agent, reason, at=now, detail=detail)
        end_operation(agent, OperationState.FAILED, now)
        _drop_unused(agent)
        waiting = agent.messages.filter(state=Message.State.QUEUED)
        waiting.update(state=Message.State.FAILED, reason="agent_failed", due_at=None)
    return None


def fail_distrusted(claim: Claim[Agent]) -> Nap:
    """Its machine shows another host key than ours; the machine stays for whoever looks into it."""
    return fail(claim, "host_key_mismatch")


def fail_lost(claim: Claim[Agent]) -> Nap:
    """Somebody deleted its machine at the cloud: its owner is told, and what can come back."""
    nap = fail(claim, "server_lost")
    if claim.row.phase == AgentPhase.FAILED:
        write_that_it_is_lost(claim.row)
    return nap


def fail_machines(claim: Claim[Agent]) -> Nap:
    """Machine after machine did not come up."""
    return fail(claim, "machines_do_not_start")


def fail_refused(claim: Claim[Agent]) -> Nap:
    """The cloud will not make such a machine, however often it is asked."""
    newest = machine_of(claim.row)
    return fail(claim, "rejected", newest.reason_detail if newest else "")


def fail_late(claim: Claim[Agent]) -> Nap:
    """The set-up took longer than any that ends well; how far it came says what is wrong."""
    if claim.row.phase == AgentPhase.WAKING:
        return _fail_to_rise(claim)
    reasons = {SetUp.STARTED: "not_ready", SetUp.READY: "no_answer"}
    reason = reasons.get(SetUp(claim.row.step), "configure_timeout")
    return fail(claim, reason, claim.row.reason_detail)


def _fail_to_rise(claim: Claim[Agent]) -> Nap:
    """A machine that is on and shows nothing is switched off: another try switches it on anew."""
    nap = fail(claim, "wake_timeout")
    hangs = claim.row.servers.filter(phase=ServerPhase.WAKING, wanted_gone=False)
    with claim.recording():
        rows = Server.objects.filter(pk__in=hangs.values("pk"))
        rows.update(wanted_power=Power.ASLEEP, due_at=timezone.now())
    return nap


def _drop_unused(agent: Agent) -> None:
    unused = agent.servers.filter(serving_since=None, distrusted_at=None, wanted_gone=False)
    now = timezone.now()
    ended = (ServerPhase.GONE, ServerPhase.LOST)
    Server.objects.filter(pk__in=unused.values("pk")).exclude(phase__in=ended).update(
        wanted_gone=True, due_at=now
    )
