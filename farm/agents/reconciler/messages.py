"""One turn of a conversation: carried once, answered, or said to be perhaps received."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, AgentPhase, Message, Server
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.troubles import Nap, distrust, jitter
from provisioning import runtime
from provisioning.errors import AnswerLost, HostKeyMismatch, ProvisioningError, Transient
from provisioning.lifecycle import back_off

MOST_TRIES = 6
TURN_SECONDS = 300.0
# The gateway said no before the agent could hear anything: another try is no second send.
UNHEARD = ("gateway_down", "gateway_busy", "gateway_token", "channel_refused")
UNDER_WAY = (Message.State.QUEUED, Message.State.SENT)


def its_turn() -> Q:
    """A message of a running agent before which no other is under way: one turn at a time.

    One that was sent by a worker that died is to be told, whatever became of its agent.
    """
    earlier = Message.objects.filter(
        agent=OuterRef("agent"), pk__lt=OuterRef("pk"), state__in=UNDER_WAY
    )
    running = Agent.objects.filter(phase=AgentPhase.RUNNING, wanted=Agent.Wanted.RUNNING)
    next_turn = Q(~Exists(earlier), agent__in=running.values("pk"), state=Message.State.QUEUED)
    return next_turn | Q(state=Message.State.SENT)


def drive_message(claim: Claim[Message]) -> Nap:
    """Carry the message; one found as sent was lost with the worker that carried it."""
    if claim.row.state == Message.State.SENT:
        return _end(claim, Message.State.UNKNOWN, "turn_interrupted")
    if claim.row.attempts >= MOST_TRIES:
        # Whatever it is that we cannot do with this one, those after it shall not wait for it.
        return _end(claim, Message.State.FAILED, "turn_failed")
    server = machine_of(claim.row.agent)
    if server is None:
        return _end(claim, Message.State.FAILED, "agent_failed")
    try:
        return _carry(claim, server)
    except HostKeyMismatch as error:
        distrust(server, error)
        return _end(claim, Message.State.FAILED, "host_key_mismatch")


def _carry(claim: Claim[Message], server: Server) -> Nap:
    """Only once the intent is written does anything go out; before, another try is harmless."""
    agent, text = claim.row.agent, claim.row.text
    try:
        with shell_of(server) as shell:
            _set(claim, Message.State.SENT)
            words = runtime.say(
                shell, agent.gateway_token, text, user=agent.owner.username, timeout=TURN_SECONDS
            )
    except AnswerLost:
        sent = claim.row.state == Message.State.SENT
        return _end(claim, Message.State.UNKNOWN, "turn_interrupted") if sent else _again(claim)
    except Transient as error:
        heard = claim.row.state == Message.State.SENT and error.code not in UNHEARD
        return _end(claim, Message.State.FAILED, "turn_failed") if heard else _again(claim)
    except HostKeyMismatch:
        raise
    except ProvisioningError as error:
        return _end(claim, Message.State.FAILED, error.code)
    return _record_answer(claim, words)


def _again(claim: Claim[Message]) -> Nap:
    claim.row.attempts += 1
    if claim.row.attempts >= MOST_TRIES:
        return _end(claim, Message.State.FAILED, "turn_failed")
    _set(claim, Message.State.QUEUED)
    return back_off(claim.row.attempts, jitter())


def _set(claim: Claim[Message], state: Message.State) -> None:
    with claim.recording():
        claim.row.state = state
        claim.save("state")


def _end(claim: Claim[Message], state: Message.State, reason: str) -> Nap:
    with claim.recording():
        claim.row.state, claim.row.reason = state, reason
        claim.save("state", "reason")
        _ring(claim.row)
    return None


def _record_answer(claim: Claim[Message], words: str) -> Nap:
    with claim.recording():
        claim.row.state = Message.State.ANSWERED
        claim.save("state")
        Message.objects.create(
            agent=claim.row.agent,
            author=Message.Author.AGENT,
            text=words,
            at=timezone.now(),
            state=Message.State.ANSWERED,
            reply_to=claim.row,
        )
        _ring(claim.row)
    return None


def _ring(message: Message) -> None:
    """An agent with a wish for a restart waits for the end of a turn, once written."""
    agents = Agent.objects.filter(pk=message.agent_id)
    transaction.on_commit(lambda: agents.update(due_at=timezone.now()))
