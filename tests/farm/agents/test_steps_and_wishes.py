"""A wish that comes in the middle of a step, and rows that must not wait for others for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from farm.accounts.models import Door
from farm.agents import services
from farm.agents.models import (
    Agent,
    AgentPhase,
    Message,
    OperationState,
    OperationStep,
    ProviderProject,
    Server,
)
from farm.agents.reconciler.agents import snapshot_of
from farm.agents.reconciler.buying import begin_install
from farm.agents.reconciler.claims import Claim, claim
from farm.agents.reconciler.driving import due_jobs
from farm.agents.reconciler.failing import fail
from farm.agents.reconciler.leaving import leave
from farm.agents.reconciler.messages import MOST_TRIES, drive_message, its_turn
from farm.agents.services.channels import ask_reconfigure
from tests.farm.web import scenes
from tests.farm.web.scenes import People


@pytest.fixture
def agent(people: People) -> Agent:
    """One of Alice's, just asked for and due."""
    row = scenes.agent(people.alice)
    Agent.objects.update(due_at=timezone.now())
    return row


def taken(agent: Agent) -> Claim[Agent]:
    claimed = claim(Agent, agent.pk, timezone.now())
    assert claimed is not None
    return claimed


def test_a_step_that_fails_after_a_deletion_was_asked_does_not_end_the_deletion(
    people: People, agent: Agent
) -> None:
    step = taken(agent)
    operation = services.delete_agent(actor=people.alice, door=Door.WEB, agent=agent)
    step.close(timezone.now() if fail(step, "no_answer") else None)
    operation.refresh_from_db()
    assert operation.state == OperationState.UNDER_WAY
    leave(taken(agent))
    assert operation.steps.get().key == OperationStep.Key.REMOVE


def test_a_failure_answers_every_wish_that_came_before_it(agent: Agent) -> None:
    step = taken(agent)
    ask_reconfigure(Agent.objects.get(pk=agent.pk), timezone.now())
    fail(step, "no_answer")
    assert snapshot_of(Agent.objects.get(pk=agent.pk)).fulfilled


def test_a_machine_that_comes_on_late_takes_no_line_from_a_deletion(
    people: People, agent: Agent
) -> None:
    now = timezone.now()
    server = Server.objects.create(agent=agent, requested_at=now, phase_since=now)
    operation = services.delete_agent(actor=people.alice, door=Door.WEB, agent=agent)
    leave(taken(agent))
    begin_install(server, now)
    assert operation.steps.get().key == OperationStep.Key.REMOVE


@pytest.mark.parametrize("phase", [AgentPhase.FAILED, AgentPhase.DELETED])
def test_a_turn_whose_worker_died_is_told_even_if_its_agent_runs_no_more(
    agent: Agent, phase: AgentPhase
) -> None:
    message = scenes.says(agent, Message.Author.MEMBER, "Hello", Message.State.SENT)
    Message.objects.update(due_at=timezone.now())
    Agent.objects.update(phase=phase)
    assert claim(Message, message.pk, timezone.now(), its_turn()) is not None


def test_a_line_that_breaks_the_worker_each_time_makes_way_for_the_next(agent: Agent) -> None:
    Agent.objects.update(phase=AgentPhase.RUNNING)
    first, second = (
        scenes.says(agent, Message.Author.MEMBER, text, Message.State.QUEUED)
        for text in ("poison", "Hello")
    )
    now = timezone.now()
    Message.objects.update(due_at=now)
    Message.objects.filter(pk=first.pk).update(attempts=MOST_TRIES)
    assert claim(Message, second.pk, now, its_turn()) is None
    taken_message = claim(Message, first.pk, now, its_turn())
    assert taken_message
    drive_message(taken_message)
    first.refresh_from_db()
    assert (first.state, first.reason) == (Message.State.FAILED, "turn_failed")
    assert claim(Message, second.pk, timezone.now(), its_turn()) is not None


def test_what_is_due_longest_comes_first_whatever_it_is(agent: Agent) -> None:
    now = timezone.now()
    for minute in range(3):
        due_at = now - timedelta(minutes=minute)
        Server.objects.create(agent=agent, requested_at=now, phase_since=now, due_at=due_at)
    ProviderProject.objects.create(provider="hetzner", due_at=now - timedelta(hours=2))
    Agent.objects.update(due_at=now - timedelta(hours=1))
    kinds = [job.key[0] for job in due_jobs(now)]
    assert kinds == ["ProviderProject", "Agent", "Server", "Server", "Server"]
