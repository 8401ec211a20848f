"""Deleting, trying again and talking: what each wish does, and who may utter it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied

from farm.accounts.models import AuditEntry, Door, User
from farm.agents import services
from farm.agents.models import (
    Agent,
    AgentPhase,
    Message,
    OperationKind,
    OperationState,
)
from farm.agents.refusals import Refused
from tests.farm.web import scenes
from tests.farm.web.scenes import People


@pytest.fixture
def agent(people: People) -> Agent:
    """One of Alice's, just asked for."""
    return scenes.agent(people.alice)


def say(actor: User, agent: Agent, text: str = "Hello") -> Message:
    return services.send_message(actor=actor, door=Door.WEB, agent=agent, text=text)


def test_a_deletion_takes_the_place_of_a_creation(people: People, agent: Agent) -> None:
    operation = services.delete_agent(actor=people.alice, door=Door.WEB, agent=agent)
    assert operation.kind == OperationKind.DELETE
    created = agent.operations.get(kind=OperationKind.CREATE)
    assert created.state == OperationState.REPLACED
    agent.refresh_from_db()
    assert (agent.wanted, agent.generation) == (Agent.Wanted.DELETED, 2)
    assert agent.phase == AgentPhase.PLACING


def test_asking_for_a_deletion_twice_is_asking_once(people: People, agent: Agent) -> None:
    first = services.delete_agent(actor=people.alice, door=Door.WEB, agent=agent)
    second = services.delete_agent(actor=people.alice, door=Door.CLI, agent=agent)
    assert first == second
    assert AuditEntry.objects.filter(verb="delete agent").count() == 1


def test_what_waited_to_be_said_is_told_as_unsaid(people: People, agent: Agent) -> None:
    message = say(people.alice, agent)
    services.delete_agent(actor=people.alice, door=Door.WEB, agent=agent)
    message.refresh_from_db()
    assert (message.state, message.reason) == (Message.State.FAILED, "agent_gone")


def test_only_a_failed_agent_is_tried_again(people: People, agent: Agent) -> None:
    with pytest.raises(Refused):
        services.retry_agent(actor=people.alice, door=Door.WEB, agent=agent)
    scenes.failed(agent)
    operation = services.retry_agent(actor=people.alice, door=Door.WEB, agent=agent)
    assert operation.kind == OperationKind.CREATE
    agent.refresh_from_db()
    assert agent.generation > agent.fulfilled_generation


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 20_001])
def test_what_cannot_be_sent_is_refused_at_its_field(
    people: People, agent: Agent, text: str
) -> None:
    with pytest.raises(Refused) as refused:
        say(people.alice, agent, text)
    assert refused.value.field == "text"


def test_nothing_is_said_to_an_agent_that_leaves_or_failed(people: People, agent: Agent) -> None:
    scenes.failed(agent)
    with pytest.raises(Refused):
        say(people.alice, agent)
    services.delete_agent(actor=people.alice, door=Door.WEB, agent=agent)
    with pytest.raises(Refused):
        say(people.alice, agent)


def test_sending_again_is_for_what_was_perhaps_not_received(people: People, agent: Agent) -> None:
    message = say(people.alice, agent, "Are you there?")
    with pytest.raises(Refused):
        services.send_again(actor=people.alice, door=Door.WEB, message=message)
    Message.objects.filter(pk=message.pk).update(state=Message.State.UNKNOWN)
    message.refresh_from_db()
    again = services.send_again(actor=people.alice, door=Door.WEB, message=message)
    assert (again.text, again.state) == ("Are you there?", Message.State.QUEUED)
    assert services.send_again(actor=people.alice, door=Door.WEB, message=message) == again
    Message.objects.filter(pk=again.pk).update(state=Message.State.FAILED)
    assert services.send_again(actor=people.alice, door=Door.WEB, message=message) != again


Wish = Callable[[User, Agent], object]


@pytest.mark.parametrize(
    "wish",
    [
        lambda actor, agent: services.delete_agent(actor=actor, door=Door.WEB, agent=agent),
        lambda actor, agent: services.retry_agent(actor=actor, door=Door.WEB, agent=agent),
        say,
        lambda actor, agent: services.link_telegram(
            actor=actor, door=Door.WEB, agent=agent, bot_token="1:x"
        ),
        lambda actor, agent: services.unlink_telegram(actor=actor, door=Door.WEB, agent=agent),
    ],
)
@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_nobody_else_may_wish_anything(people: People, agent: Agent, who: str, wish: Wish) -> None:
    actor = {"bob": people.bob, "charlie": people.charlie}[who]
    before = AuditEntry.objects.count()
    with pytest.raises(PermissionDenied):
        wish(actor, agent)
    assert AuditEntry.objects.count() == before
