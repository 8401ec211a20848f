"""From a ready machine to an agent that answered: files, start, gate, first words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.events import note
from farm.agents.machine_of import machine_of
from farm.agents.models import (
    Agent,
    AgentPhase,
    Message,
    OperationKind,
    OperationState,
    OperationStep,
    Server,
)
from farm.agents.passes import mark_written
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.credit import await_credit
from farm.agents.reconciler.failing import fail
from farm.agents.reconciler.going_back import conclude, waits_for_change
from farm.agents.reconciler.letters import write_that_it_answers
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.marks import MOVED, begin_line, current, end_operation, move_agent
from farm.agents.reconciler.persona import greeting_prompt, return_prompt, settings_of
from farm.agents.reconciler.pool_claims import TAKE_UP, is_taken_up, is_warm, spend
from farm.agents.reconciler.troubles import Nap, jitter, wait_with_reason
from farm.agents.reconciler.waking import let_go_of_sleep
from farm.agents.reconciler.watches import watch_over
from farm.agents.services.channels import ring_channels
from provisioning import runtime
from provisioning.errors import Rejected, Transient
from provisioning.lifecycle import poll_delay
from provisioning.steps import SetUp

AT_ONCE = timedelta(0)
LOOK_AGAIN = timedelta(milliseconds=150)
ASLEEP = "gateway_down"
NO_CREDIT = "model_no_credit"
CHANGED = "reconfigured"
DONE: Mapping[str, str] = {OperationKind.RESTART: "restarted", OperationKind.WAKE: "awake"}
WISH = ("restore_from", "saving")
"""The part of a spec that is over once it is fulfilled."""


def configure(claim: Claim[Agent]) -> Nap:
    """The machine is ready: begin, or begin again with what has changed."""
    agent, now = claim.row, timezone.now()
    with claim.recording():
        move_agent(agent, AgentPhase.CONFIGURING, now)
        agent.step = SetUp.NOTHING
        claim.save("step", *MOVED)
        begin_line(agent, OperationStep.Key.PERSONALITY, now)
    return AT_ONCE


def write(claim: Claim[Agent]) -> Nap:
    """Put config, secrets and persona in place, and have the runtime's own checker read them.

    A gateway that runs already, of a machine from the pool, reads them itself.
    """
    agent = claim.row
    wanted = settings_of(agent)
    try:
        with shell_of(server_of(agent)) as shell:
            shell.write(runtime.files(wanted))
            runtime.fence(shell)
            if not is_warm(agent, wanted):
                runtime.validate(shell)
    except Rejected as error:
        return fail(claim, "config_refused", str(error))
    agent.config_digest = runtime.digest(wanted)
    with claim.recording():
        mark_written(agent, wanted.edge)
    return _advance(claim, SetUp.WRITTEN, "configured", OperationStep.Key.WAKE)


def start(claim: Claim[Agent]) -> Nap:
    """Start the gateway anew, so that it reads what was written; a warm one does so by itself.

    One that does not within seconds is started like any other, from the beginning.
    """
    agent, now = claim.row, timezone.now()
    server, wanted = server_of(agent), settings_of(agent)
    warm = is_warm(agent, wanted)
    with shell_of(server) as shell:
        if not warm:
            runtime.restart(shell)
        elif not is_taken_up(shell, wanted):
            return _wait_or_restart(claim, server, now)
    spend(server, now)
    return _advance(claim, SetUp.STARTED, "taken_up" if warm else "started", OperationStep.Key.WAKE)


def _wait_or_restart(claim: Claim[Agent], server: Server, now: datetime) -> Nap:
    if now - claim.row.phase_since < TAKE_UP:
        return LOOK_AGAIN
    spend(server, now)
    return _begin_again(claim)


def pass_gate(claim: Claim[Agent]) -> Nap:
    """Awake means started, ready, nothing held back, and every secret in place."""
    agent = claim.row
    if _outdated(agent):
        return _begin_again(claim)
    with shell_of(server_of(agent)) as shell:
        try:
            shown = runtime.readiness(shell, agent.gateway_token)
        except Transient as error:
            if error.code == ASLEEP and runtime.failed(shell):
                return fail(claim, "not_ready", str(error))
            return _not_yet(claim, str(error))
    if not shown.good:
        return _not_yet(claim, shown.why)
    return _advance(claim, SetUp.READY, "gate_passed", OperationStep.Key.ANSWER)


def greet(claim: Claim[Agent]) -> Nap:
    """One real turn: the agent's first words, or that it is back.

    An agent that spoke before and only read something anew is simply running.
    """
    agent = claim.row
    if _outdated(agent):
        return _begin_again(claim)
    spoke = first_words_of(agent) is not None
    if spoke and agent.restore_from is None:
        return _record_running(claim, "")
    prompt = return_prompt(agent) if spoke else greeting_prompt(agent)
    try:
        with shell_of(server_of(agent)) as shell:
            words = runtime.say(shell, agent.gateway_token, prompt, user=agent.owner.username)
    except Rejected as error:
        if error.code == NO_CREDIT:
            return await_credit(claim)
        return fail(claim, "no_answer", str(error))
    return _record_running(claim, words)


def first_words_of(agent: Agent) -> Message | None:
    """What the agent said of its own accord."""
    return agent.messages.filter(author=Message.Author.AGENT, reply_to=None).first()


def server_of(agent: Agent) -> Server:
    """Its newest machine; Transient without one."""
    server = machine_of(agent)
    if server is None:
        raise Transient("no_machine", f"{agent} has no machine.")
    return server


def _outdated(agent: Agent) -> bool:
    """Whether something changed after the files were written."""
    return runtime.digest(settings_of(agent)) != agent.config_digest


def _begin_again(claim: Claim[Agent]) -> Nap:
    agent, now = claim.row, timezone.now()
    with claim.recording():
        agent.step = SetUp.NOTHING
        claim.save("step")
        begin_line(agent, OperationStep.Key.PERSONALITY, now)
    return AT_ONCE


def _advance(claim: Claim[Agent], step: SetUp, code: str, line: OperationStep.Key) -> Nap:
    agent, now = claim.row, timezone.now()
    agent.step, agent.attempts = step, 0
    agent.reason, agent.reason_detail = "", ""
    with claim.recording():
        claim.save("step", "config_digest", "reason", "reason_detail")
        note(agent, code, at=now)
        begin_line(agent, line, now)
    return AT_ONCE


def _not_yet(claim: Claim[Agent], why: str) -> Nap:
    waited = timezone.now() - claim.row.phase_since
    nap = poll_delay(waited, jitter())
    if waited > timedelta(minutes=2):
        return wait_with_reason(claim, "slow_boot", nap, why)
    return nap


def _record_running(claim: Claim[Agent], words: str) -> Nap:
    agent, now = claim.row, timezone.now()
    first = agent.running_since is None
    with claim.recording():
        move_agent(agent, AgentPhase.RUNNING, now)
        agent.step, agent.fulfilled_generation = "", agent.generation
        agent.running_since = agent.running_since or now
        agent.restore_from = agent.saving = None
        claim.save("step", "fulfilled_generation", "running_since", *WISH, *MOVED)
        _start_meter(agent, now)
        let_go_of_sleep(agent, server_of(agent), now)
        changed = conclude(agent, now)
        _keep_words(agent, words, now)
        note(agent, "running" if first else _done(agent), at=now)
        watch_over(agent, now)
        if changed or not waits_for_change(agent):
            end_operation(agent, OperationState.DONE, now)
    if first:
        write_that_it_answers(agent)
    return None


def _done(agent: Agent) -> str:
    operation = current(agent)
    return DONE.get(operation.kind, CHANGED) if operation else CHANGED


def _start_meter(agent: Agent, now: datetime) -> None:
    server = server_of(agent)
    Server.objects.filter(pk=server.pk, serving_since=None).update(serving_since=now)


def _keep_words(agent: Agent, words: str, now: datetime) -> None:
    """The first line of the page, and the bell for its chat apps at the same moment."""
    if words:
        Message.objects.create(
            agent=agent,
            author=Message.Author.AGENT,
            text=words,
            at=now,
            state=Message.State.ANSWERED,
        )
    ring_channels(agent, now)
