"""Putting an agent to sleep and waking it: what each wish does, who may utter it, what crosses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied

from farm.accounts.models import AuditEntry, Door, User
from farm.agents import services
from farm.agents.models import (
    Agent,
    AgentPhase,
    Backup,
    BackupKind,
    Message,
    Operation,
    OperationKind,
    OperationState,
)
from farm.agents.refusals import Refused
from farm.agents.services.channels import ask_reconfigure
from farm.billing.prices import Rate
from tests.farm.agents.sleepers import asleep, stopping, waking
from tests.farm.web import scenes
from tests.farm.web.scenes import People


@pytest.fixture
def agent(people: People) -> Agent:
    """One of Alice's that runs."""
    return scenes.running(scenes.agent(people.alice))


def stop(actor: User | None, agent: Agent, door: Door = Door.WEB) -> Operation:
    return services.stop_agent(actor=actor, door=door, agent=agent)


def wake(actor: User | None, agent: Agent, door: Door = Door.WEB) -> Operation:
    return services.wake_agent(actor=actor, door=door, agent=agent)


def test_what_it_has_is_saved_before_it_sleeps(people: People, agent: Agent) -> None:
    operation = stop(people.alice, agent)
    agent.refresh_from_db()
    assert (agent.wanted, agent.generation) == (Agent.Wanted.STOPPED, 2)
    assert agent.saving == Backup.objects.get(kind=BackupKind.SLEEP)
    assert [step.key for step in operation.steps.all()] == ["save"]
    assert AuditEntry.objects.get(verb="stop agent").actor == people.alice


def test_asking_twice_is_asking_once(people: People, agent: Agent) -> None:
    assert stop(people.alice, agent) == stop(people.alice, agent)
    asleep(agent)
    assert wake(people.alice, agent).kind == OperationKind.WAKE
    waking(agent)
    wake(people.alice, agent)
    assert agent.operations.filter(kind=OperationKind.WAKE).count() == 1
    assert AuditEntry.objects.filter(verb="stop agent").count() == 1


def test_the_farm_itself_may_put_to_sleep_and_wake(agent: Agent) -> None:
    stop(None, agent, Door.FARM)
    asleep(agent)
    wake(None, agent, Door.FARM)
    assert AuditEntry.objects.filter(actor=None, door=Door.FARM).count() == 2
    with pytest.raises(PermissionDenied):
        stop(None, agent, Door.API)


def failed(agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(phase=AgentPhase.FAILED)


def placing(agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(phase=AgentPhase.PLACING)


def never_ran(agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(phase=AgentPhase.CONFIGURING, running_since=None)


def leaving(agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(wanted=Agent.Wanted.DELETED)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (failed, "agent_failed"),
        (placing, "not_settled"),
        (never_ran, "not_settled"),
        (leaving, "agent_gone"),
    ],
)
def test_only_one_that_answers_is_put_to_sleep(
    people: People, agent: Agent, first: Callable[[Agent], None], code: str
) -> None:
    first(agent)
    with pytest.raises(Refused) as refused:
        stop(people.alice, agent)
    assert refused.value.code == code


@pytest.mark.parametrize("first", [failed, placing, leaving])
def test_only_a_sleeper_is_woken(
    people: People, agent: Agent, first: Callable[[Agent], None]
) -> None:
    with pytest.raises(Refused):
        wake(people.alice, agent)
    first(agent)
    with pytest.raises(Refused):
        wake(people.alice, agent)


def test_the_later_word_counts(people: People, agent: Agent) -> None:
    first = stop(people.alice, agent)
    stopping(agent)
    second = wake(people.alice, agent)
    waking(agent)
    third = stop(people.alice, agent)
    for operation in (first, second, third):
        operation.refresh_from_db()
    states = [operation.state for operation in (first, second, third)]
    assert states == [OperationState.REPLACED, OperationState.REPLACED, OperationState.UNDER_WAY]
    agent.refresh_from_db()
    assert agent.wanted == Agent.Wanted.STOPPED
    # It was saved once: since then it had no machine on which anything could change.
    assert Backup.objects.filter(kind=BackupKind.SLEEP).count() == 1


def test_nothing_typed_to_a_sleeper_is_taken_and_lost(people: People, agent: Agent) -> None:
    said = services.send_message(actor=people.alice, door=Door.WEB, agent=agent, text="Before")
    stop(people.alice, agent)
    with pytest.raises(Refused) as refused:
        services.send_message(actor=people.alice, door=Door.WEB, agent=agent, text="After")
    assert refused.value.code == "agent_asleep"
    said.refresh_from_db()
    assert said.state == Message.State.QUEUED


def test_a_sleeper_is_woken_before_it_is_restored(people: People, agent: Agent) -> None:
    backup = scenes.backup(agent)
    stop(people.alice, agent)
    asleep(agent)
    with pytest.raises(Refused) as refused:
        services.restore_agent(actor=people.alice, door=Door.WEB, agent=agent, backup=backup)
    assert refused.value.code == "agent_asleep"


def test_a_change_while_it_sleeps_is_no_wish_of_its_own(people: People, agent: Agent) -> None:
    operation = stop(people.alice, agent)
    agent.refresh_from_db()
    ask_reconfigure(agent, agent.created_at)
    operation.refresh_from_db()
    assert operation.state == OperationState.UNDER_WAY


def test_a_new_price_is_agreed_to_with_the_wish(people: People, agent: Agent) -> None:
    stop(people.alice, agent)
    asleep(agent)
    services.wake_agent(
        actor=people.alice, door=Door.WEB, agent=agent, agreed=Rate(9_000, 5_600_000, "EUR")
    )
    agent.refresh_from_db()
    assert (agent.agreed_hourly_micros, agent.agreed_monthly_micros) == (9_000, 5_600_000)


def test_a_waiting_wake_goes_on_at_a_new_price(people: People, agent: Agent) -> None:
    stop(people.alice, agent)
    asleep(agent)
    first = wake(people.alice, agent)
    waking(agent)
    again = services.wake_agent(
        actor=people.alice, door=Door.WEB, agent=agent, agreed=Rate(9_000, 5_600_000, "EUR")
    )
    agent.refresh_from_db()
    assert (again, agent.agreed_hourly_micros) == (first, 9_000)


def test_a_sleeper_that_could_not_be_saved_waits_for_a_word(people: People, agent: Agent) -> None:
    stop(people.alice, agent)
    Backup.objects.update(state="failed", reason="store_unreachable")
    asleep(agent)
    services.delete_agent(actor=people.alice, door=Door.WEB, agent=agent)
    agent.refresh_from_db()
    assert agent.saving is not None
    with pytest.raises(Refused) as refused:
        services.save_again(actor=people.alice, door=Door.WEB, agent=agent)
    assert refused.value.code == "asleep_unsaved"
    services.delete_agent(actor=people.alice, door=Door.WEB, agent=agent, without_backup=True)
    agent.refresh_from_db()
    assert agent.saving is None


def test_a_member_who_leaves_wakes_nobody(people: People, agent: Agent) -> None:
    bobs = scenes.running(scenes.agent(people.alice, "Lola"))
    Agent.objects.filter(pk=bobs.pk).update(owner=people.bob)
    stop(people.alice, bobs)
    asleep(bobs)
    membership = people.account.memberships.get(user=people.bob)
    services.remove_member(actor=people.alice, door=Door.WEB, membership=membership)
    bobs.refresh_from_db()
    assert (bobs.wanted, bobs.phase) == (Agent.Wanted.STOPPED, AgentPhase.STOPPED)


@pytest.mark.parametrize("wish", [stop, wake])
@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_nobody_else_may_wish_it(
    people: People, agent: Agent, who: str, wish: Callable[[User, Agent], Operation]
) -> None:
    actor = {"bob": people.bob, "charlie": people.charlie}[who]
    with pytest.raises(PermissionDenied):
        wish(actor, agent)
    assert not AuditEntry.objects.filter(verb__in=("stop agent", "wake agent")).exists()
