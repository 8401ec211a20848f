"""Steps of agents that sleep and wake, driven on rows: where they are placed, and on what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from farm.accounts.models import Door
from farm.agents import services
from farm.agents.models import (
    Agent,
    AgentPhase,
    Backup,
    BackupState,
    DiskCopy,
    Event,
    Offer,
    OperationState,
    Power,
    Server,
    ServerPhase,
    SlackLink,
)
from farm.agents.reconciler.agents import drive_agent
from farm.agents.reconciler.claims import claim
from farm.agents.reconciler.failing import fail
from farm.agents.reconciler.orphans import is_marked, strays_among
from farm.agents.reconciler.servers import drive_server
from farm.agents.reconciler.setting_up import configure
from farm.agents.selectors.money import offer_for
from farm.agents.services.channels import ask_reconfigure
from provisioning.provider import Billable, BillableKind, Price
from tests.farm.agents.sleepers import asleep, stopping, waking
from tests.farm.web import scenes
from tests.farm.web.scenes import People


@pytest.fixture
def agent(people: People) -> Agent:
    """One of Alice's that runs."""
    return scenes.running(scenes.agent(people.alice))


@pytest.fixture
def sleeper(people: People, agent: Agent) -> Agent:
    """One that was asked to wake, with the copy of its disk and the backup from its stop."""
    services.stop_agent(actor=people.alice, door=Door.WEB, agent=agent)
    Backup.objects.update(state=BackupState.KEPT, made_at=timezone.now())
    asleep(agent)
    services.wake_agent(actor=people.alice, door=Door.WEB, agent=agent)
    Offer.objects.update(disk_gb=40)
    return waking(agent)


def drive(agent: Agent) -> Agent:
    """One step of it, as a worker takes it."""
    Agent.objects.filter(pk=agent.pk).update(due_at=timezone.now())
    claimed = claim(Agent, agent.pk, timezone.now())
    assert claimed is not None
    nap = drive_agent(claimed)
    claimed.close(None if nap is None else timezone.now() + nap)
    agent.refresh_from_db()
    return agent


def only(*server_types: str) -> None:
    """These are to be had, and nothing else."""
    Offer.objects.update(available=False)
    Offer.objects.filter(server_type__in=server_types).update(available=True)


def asked(agent: Agent) -> Server:
    """The machine that was asked for last."""
    return agent.servers.latest("pk")


def test_it_wakes_on_the_cheapest_machine_that_its_copy_boots_on(sleeper: Agent) -> None:
    drive(sleeper)
    server = asked(sleeper)
    assert (server.server_type, server.phase) == ("cx23", ServerPhase.REQUESTED)
    assert server.made_from == DiskCopy.objects.get()
    assert server.project == DiskCopy.objects.get().project
    drive(sleeper)
    assert asked(sleeper) == server


def test_the_software_of_its_chat_apps_is_on_the_copy(sleeper: Agent) -> None:
    had = sleeper.servers.get().uid
    SlackLink.objects.create(agent=sleeper, asked_at=timezone.now(), ready_on=had)
    drive(sleeper)
    assert SlackLink.objects.get().ready_on == asked(sleeper).uid


def test_another_type_does_as_well_but_no_other_processor_and_no_smaller_disk(
    sleeper: Agent,
) -> None:
    only("cpx22", "cax11")
    drive(sleeper)
    assert asked(sleeper).server_type == "cpx22"


def grown() -> None:
    """No disk on sale is as large as the copy wants it."""
    DiskCopy.objects.update(disk_gb=80)


@pytest.mark.parametrize("happens", [grown, partial(only, "cax11")])
def test_where_no_machine_takes_its_copy_its_backup_goes_onto_another(
    sleeper: Agent, happens: Callable[[], None]
) -> None:
    happens()
    drive(drive(sleeper))
    assert sleeper.phase == AgentPhase.PLACING
    assert sleeper.restore_from == Backup.objects.get()
    drive(sleeper)
    assert asked(sleeper).made_from is None
    # Until it answers there, what it slept with stays.
    assert not DiskCopy.objects.get().wanted_gone


@pytest.mark.parametrize("comes", [False, True], ids=["asked-for", "restoring"])
def test_it_may_lie_down_again_on_its_way_from_its_backup(
    people: People, sleeper: Agent, *, comes: bool
) -> None:
    grown()
    drive(drive(drive(sleeper)))
    if comes:
        Server.objects.filter(pk=asked(sleeper).pk).update(phase=ServerPhase.READY)
        drive(sleeper)
        assert sleeper.phase == AgentPhase.RESTORING
    services.stop_agent(actor=people.alice, door=Door.WEB, agent=sleeper)
    sleeper.refresh_from_db()
    assert sleeper.restore_from == Backup.objects.get()
    drive(sleeper)
    assert (sleeper.phase, asked(sleeper).wanted_gone) == (AgentPhase.STOPPING, True)
    Server.objects.update(phase=ServerPhase.GONE)
    drive(sleeper)
    assert sleeper.phase == AgentPhase.STOPPED
    assert not sleeper.restore_from
    assert not DiskCopy.objects.get().wanted_gone


def test_an_older_backup_is_not_taken_for_what_it_slept_with(sleeper: Agent) -> None:
    Backup.objects.update(state=BackupState.FAILED)
    Backup.objects.create(
        agent=sleeper,
        kind="nightly",
        state=BackupState.KEPT,
        asked_at=timezone.now() - timedelta(days=1),
        key=Backup.objects.get().key,
        made_at=timezone.now(),
    )
    only("cax11")
    drive(sleeper)
    assert (sleeper.phase, sleeper.reason) == (AgentPhase.WAKING, "wake_sold_out")
    assert sleeper.servers.count() == 1


def test_at_a_higher_price_it_sleeps_on_until_somebody_agrees(
    people: People, sleeper: Agent
) -> None:
    Backup.objects.update(state=BackupState.FAILED)
    Offer.objects.update(hourly_micros=50_000)
    drive(sleeper)
    assert (sleeper.phase, sleeper.reason) == (AgentPhase.WAKING, "price_rose")
    dearer = offer_for("small", "germany")
    assert dearer is not None
    services.wake_agent(actor=people.alice, door=Door.WEB, agent=sleeper, agreed=dearer.rate)
    drive(sleeper)
    assert asked(sleeper).made_from is not None


def test_a_machine_that_does_not_come_up_is_followed_by_another_from_the_copy(
    sleeper: Agent,
) -> None:
    drive(sleeper)
    first = asked(sleeper)
    rows = Server.objects.filter(pk=first.pk)
    rows.update(wanted_gone=True, reason="boot_timeout", phase=ServerPhase.DELETING)
    drive(sleeper)
    assert asked(sleeper) == first
    rows.update(phase=ServerPhase.GONE, gone_at=timezone.now())
    drive(sleeper)
    assert asked(sleeper) != first
    assert asked(sleeper).made_from is not None


def test_a_set_up_that_fails_leaves_what_it_slept_with(people: People, sleeper: Agent) -> None:
    drive(sleeper)
    Server.objects.filter(pk=asked(sleeper).pk).update(phase=ServerPhase.READY)
    drive(sleeper)
    assert sleeper.phase == AgentPhase.CONFIGURING
    claimed = claim(Agent, sleeper.pk, timezone.now())
    assert claimed is not None
    fail(claimed, "not_ready")
    claimed.close(None)
    Server.objects.filter(wanted_gone=True).update(phase=ServerPhase.GONE)
    services.retry_agent(actor=people.alice, door=Door.WEB, agent=sleeper)
    drive(sleeper)
    assert sleeper.phase == AgentPhase.WAKING
    drive(sleeper)
    assert asked(sleeper).made_from is not None


@pytest.fixture
def hanging(people: People, agent: Agent) -> Agent:
    """One whose machine was switched on again, and never showed anything."""
    services.stop_agent(actor=people.alice, door=Door.WEB, agent=agent)
    Backup.objects.update(state=BackupState.KEPT, made_at=timezone.now())
    stopping(agent)
    services.wake_agent(actor=people.alice, door=Door.WEB, agent=agent)
    agent.servers.update(phase=ServerPhase.WAKING, wanted_power=Power.ON)
    waking(agent)
    Agent.objects.filter(pk=agent.pk).update(phase_since=timezone.now() - timedelta(hours=1))
    drive(agent)
    assert (agent.phase, agent.reason) == (AgentPhase.FAILED, "wake_timeout")
    return agent


def test_a_machine_that_hangs_as_it_wakes_is_switched_off_and_on_by_another_try(
    people: People, hanging: Agent
) -> None:
    assert asked(hanging).wanted_power == Power.ASLEEP
    Server.objects.update(phase=ServerPhase.OFF)
    services.retry_agent(actor=people.alice, door=Door.WEB, agent=hanging)
    drive(hanging)
    drive(hanging)
    assert (hanging.phase, asked(hanging).wanted_power) == (AgentPhase.WAKING, Power.ON)


def test_who_wants_the_backup_instead_of_what_hangs_gets_it(people: People, hanging: Agent) -> None:
    services.rebuild_agent(actor=people.alice, door=Door.WEB, agent=hanging, from_backup=True)
    drive(hanging)
    assert (hanging.phase, hanging.restore_from) == (AgentPhase.PLACING, Backup.objects.get())
    drive(hanging)
    assert (asked(hanging).wanted_power, hanging.servers.count()) == (Power.ON, 2)


def test_it_lies_down_again_before_it_was_awake(people: People, sleeper: Agent) -> None:
    drive(sleeper)
    services.stop_agent(actor=people.alice, door=Door.WEB, agent=sleeper)
    drive(sleeper)
    assert (sleeper.phase, asked(sleeper).wanted_gone) == (AgentPhase.STOPPING, True)
    Server.objects.update(phase=ServerPhase.GONE)
    drive(sleeper)
    assert sleeper.phase == AgentPhase.STOPPED
    assert not DiskCopy.objects.get().wanted_gone
    assert sleeper.operations.latest("pk").state == OperationState.DONE


def test_a_copy_that_vanished_is_told_and_its_last_backup_is_the_way_back(
    people: People, agent: Agent
) -> None:
    services.stop_agent(actor=people.alice, door=Door.WEB, agent=agent)
    Backup.objects.update(state=BackupState.KEPT, made_at=timezone.now())
    DiskCopy.objects.filter(pk=asleep(agent).pk).update(phase="gone", reason="copy_vanished")
    drive(agent)
    assert (agent.phase, agent.reason) == (AgentPhase.FAILED, "copy_lost")
    services.retry_agent(actor=people.alice, door=Door.WEB, agent=agent)
    drive(agent)
    assert agent.phase == AgentPhase.PLACING
    assert agent.restore_from == Backup.objects.get()


def test_a_backup_that_fails_keeps_nobody_awake_and_is_told(people: People, agent: Agent) -> None:
    services.stop_agent(actor=people.alice, door=Door.WEB, agent=agent)
    Backup.objects.update(state=BackupState.FAILED, reason_detail="The store is full.")
    drive(agent)
    assert agent.phase == AgentPhase.STOPPING
    assert Event.objects.get(code="stop_unsaved").detail == "The store is full."


def test_a_copy_is_nobodys_orphan_while_it_has_a_row(agent: Agent) -> None:
    copy = asleep(agent)
    bill = Billable(
        kind=BillableKind.SNAPSHOT,
        id="4711",
        name="asleep",
        location="",
        machine="",
        created_at=timezone.now(),
        labels={"farm": "1", "farm-copy": copy.uid},
        price=Price(1, None, "EUR"),
    )
    assert list(strays_among([bill])) == []
    copy.delete()
    assert list(strays_among([bill])) == [bill]
    assert is_marked(bill)


def test_what_changes_while_it_sleeps_waits_for_its_waking(people: People, agent: Agent) -> None:
    services.stop_agent(actor=people.alice, door=Door.WEB, agent=agent)
    asleep(agent)
    ask_reconfigure(agent, timezone.now())
    drive(agent)
    assert agent.phase == AgentPhase.STOPPED
    assert agent.fulfilled_generation == agent.generation


def test_a_step_of_a_running_agent_does_not_end_the_wish_to_sleep(
    people: People, agent: Agent
) -> None:
    Agent.objects.update(due_at=timezone.now(), generation=2)
    claimed = claim(Agent, agent.pk, timezone.now())
    assert claimed is not None
    operation = services.stop_agent(actor=people.alice, door=Door.WEB, agent=agent)
    configure(claimed)
    operation.refresh_from_db()
    assert [step.key for step in operation.steps.all()] == ["save"]


def test_a_wake_comes_before_its_machine_is_switched_off(people: People, agent: Agent) -> None:
    services.stop_agent(actor=people.alice, door=Door.WEB, agent=agent)
    Backup.objects.update(state=BackupState.KEPT)
    drive(agent)
    assert agent.phase == AgentPhase.STOPPING
    Server.objects.update(wanted_power=Power.ASLEEP, due_at=timezone.now())
    claimed = claim(Server, asked(agent).pk, timezone.now())
    assert claimed is not None
    services.wake_agent(actor=people.alice, door=Door.WEB, agent=agent)
    drive(agent)
    # The worker that holds the machine's row read it before the wish: it looks once more.
    drive_server(claimed)
    assert asked(agent).phase == ServerPhase.READY
    drive(agent)
    assert agent.phase == AgentPhase.CONFIGURING
