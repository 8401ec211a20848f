"""The pure half of the engine: which moves are legal, and what is next."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from provisioning import lifecycle, phases
from provisioning.lifecycle import next_agent_step, next_server_step
from provisioning.phases import AgentPhase, ServerPhase
from provisioning.steps import (
    AgentSnapshot,
    AgentStep,
    Deadlines,
    Machine,
    Saving,
    ServerSnapshot,
    ServerStep,
    SetUp,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lifecycle.md"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DEADLINES = Deadlines()
SERVER = ServerSnapshot(
    phase=ServerPhase.REQUESTED,
    phase_since=NOW,
    wanted_gone=False,
    create_sent=False,
    distrusted=False,
)
AGENT = AgentSnapshot(
    phase=AgentPhase.PLACING,
    phase_since=NOW,
    wanted_deleted=False,
    fulfilled=False,
    has_run=False,
    talking=False,
    set_up=SetUp.NOTHING,
    machine=Machine.NONE,
    machines_failed=0,
    machines_left=0,
)
ages = some.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2))
servers = some.builds(
    ServerSnapshot,
    phase=some.sampled_from(ServerPhase),
    phase_since=ages.map(lambda age: NOW - age),
    wanted_gone=some.booleans(),
    create_sent=some.booleans(),
    distrusted=some.booleans(),
)
agents = some.builds(
    AgentSnapshot,
    phase=some.sampled_from(AgentPhase),
    phase_since=ages.map(lambda age: NOW - age),
    wanted_deleted=some.booleans(),
    fulfilled=some.booleans(),
    has_run=some.booleans(),
    talking=some.booleans(),
    set_up=some.sampled_from(SetUp),
    machine=some.sampled_from(Machine),
    machines_failed=some.integers(0, 5),
    machines_left=some.integers(0, 3),
    to_restore=some.booleans(),
    saving=some.sampled_from(Saving),
)


def drawn(title: str) -> set[tuple[str, str]]:
    """The moves in the diagram under that title."""
    section = PAGE.read_text().split(f"## {title}\n")[1].split("```")[1]
    return set(re.findall(r"^\s+(\w+) --> (\w+)", section, re.MULTILINE))


def test_the_diagram_of_servers_is_the_truth() -> None:
    assert drawn("Servers") == {(old.value, new.value) for old, new in phases.SERVER_MOVES}


def test_the_diagram_of_agents_is_the_truth() -> None:
    assert drawn("Agents") == {(old.value, new.value) for old, new in phases.AGENT_MOVES}


def test_no_road_leads_from_requested_to_ready() -> None:
    with pytest.raises(phases.IllegalMove, match="cannot go from requested to ready"):
        phases.check_server_move(ServerPhase.REQUESTED, ServerPhase.READY)


def test_no_road_leads_from_deleted_but_a_new_machine() -> None:
    phases.check_agent_move(AgentPhase.DELETED, AgentPhase.PLACING)
    with pytest.raises(phases.IllegalMove, match="cannot go from deleted"):
        phases.check_agent_move(AgentPhase.DELETED, AgentPhase.CONFIGURING)


def test_an_order_that_may_have_been_sent_is_looked_for_before_it_is_sent_again() -> None:
    assert next_server_step(SERVER, NOW, DEADLINES) is ServerStep.ORDER
    sent = replace(SERVER, create_sent=True)
    assert next_server_step(sent, NOW, DEADLINES) is ServerStep.SEEK_AND_ORDER


def test_a_machine_that_may_exist_is_never_dropped_unlooked() -> None:
    sent = replace(SERVER, create_sent=True, wanted_gone=True)
    assert next_server_step(sent, NOW, DEADLINES) is ServerStep.SEEK_AND_REMOVE
    unsent = replace(SERVER, wanted_gone=True)
    assert next_server_step(unsent, NOW, DEADLINES) is ServerStep.DROP


@pytest.mark.parametrize(
    ("phase", "last_moment", "late"),
    [
        (ServerPhase.CREATING, DEADLINES.creating, ServerStep.GIVE_UP_CREATING),
        (ServerPhase.BOOTING, DEADLINES.booting, ServerStep.GIVE_UP_BOOTING),
    ],
)
def test_every_wait_of_a_server_has_an_end(
    phase: ServerPhase, last_moment: timedelta, late: ServerStep
) -> None:
    server = replace(SERVER, phase=phase)
    assert next_server_step(server, NOW + last_moment, DEADLINES) is not late
    assert next_server_step(server, NOW + last_moment * 1.01, DEADLINES) is late


@given(servers)
def test_a_distrusted_machine_is_never_knocked_at(server: ServerSnapshot) -> None:
    step = next_server_step(replace(server, distrusted=True), NOW, DEADLINES)
    assert step is not ServerStep.KNOCK


@given(servers)
def test_a_server_that_is_wanted_no_more_is_not_built_on(server: ServerSnapshot) -> None:
    step = next_server_step(replace(server, wanted_gone=True), NOW, DEADLINES)
    building = {
        ServerStep.ORDER,
        ServerStep.SEEK_AND_ORDER,
        ServerStep.KNOCK,
        ServerStep.POLL,
        ServerStep.LOOK,
    }
    assert step not in building


@given(agents)
def test_a_deletion_is_final(agent: AgentSnapshot) -> None:
    step = next_agent_step(replace(agent, wanted_deleted=True), NOW, DEADLINES)
    assert step in {
        AgentStep.HOLD,
        AgentStep.LEAVE,
        AgentStep.WAIT,
        AgentStep.FINISH,
        AgentStep.REST,
    }


@given(agents)
def test_what_a_serving_machine_has_is_lost_only_once_it_is_saved(agent: AgentSnapshot) -> None:
    unsaved = replace(agent, machine=Machine.READY, saving=Saving.UNDER_WAY)
    assert next_agent_step(replace(unsaved, wanted_deleted=True), NOW, DEADLINES) is not (
        AgentStep.LEAVE
    )
    running = replace(unsaved, phase=AgentPhase.RUNNING, wanted_deleted=False, fulfilled=False)
    step = next_agent_step(replace(running, to_restore=True), NOW, DEADLINES)
    assert step is AgentStep.WAIT


@pytest.mark.parametrize("machine", [Machine.LOST, Machine.NONE, Machine.DISTRUSTED])
def test_a_deletion_waits_for_no_backup_of_a_machine_that_is_not_there(machine: Machine) -> None:
    agent = replace(AGENT, phase=AgentPhase.RUNNING, wanted_deleted=True, machine=machine)
    step = next_agent_step(replace(agent, saving=Saving.UNDER_WAY), NOW, DEADLINES)
    assert step is AgentStep.LEAVE


def test_what_could_not_be_saved_is_not_lost() -> None:
    running = replace(AGENT, phase=AgentPhase.RUNNING, machine=Machine.READY)
    failed = replace(running, saving=Saving.FAILED)
    leaving = replace(failed, wanted_deleted=True)
    assert next_agent_step(leaving, NOW, DEADLINES) is AgentStep.HOLD
    restoring = replace(failed, to_restore=True)
    assert next_agent_step(restoring, NOW, DEADLINES) is AgentStep.GIVE_UP_RESTORE


def test_a_restore_has_its_road_and_an_end() -> None:
    agent = replace(AGENT, machine=Machine.READY, to_restore=True)
    running = replace(agent, phase=AgentPhase.RUNNING, saving=Saving.KEPT)
    restoring = replace(agent, phase=AgentPhase.RESTORING)
    assert next_agent_step(agent, NOW, DEADLINES) is AgentStep.BEGIN_RESTORE
    assert next_agent_step(running, NOW, DEADLINES) is AgentStep.BEGIN_RESTORE
    assert next_agent_step(restoring, NOW, DEADLINES) is AgentStep.RESTORE
    late = NOW + DEADLINES.restoring * 1.01
    assert next_agent_step(restoring, late, DEADLINES) is AgentStep.FAIL_LATE


def test_one_that_is_deleted_comes_back_by_a_wish_only() -> None:
    gone = replace(AGENT, phase=AgentPhase.DELETED, fulfilled=True)
    assert next_agent_step(gone, NOW, DEADLINES) is AgentStep.REST
    wanted = replace(gone, fulfilled=False, to_restore=True)
    assert next_agent_step(wanted, NOW, DEADLINES) is AgentStep.START_OVER


@given(agents)
def test_nothing_is_called_deleted_while_a_cloud_may_have_it(agent: AgentSnapshot) -> None:
    step = next_agent_step(replace(agent, machines_left=1), NOW, DEADLINES)
    assert step is not AgentStep.FINISH


@given(agents)
def test_nothing_is_said_to_a_distrusted_machine(agent: AgentSnapshot) -> None:
    step = next_agent_step(replace(agent, machine=Machine.DISTRUSTED), NOW, DEADLINES)
    talking = {AgentStep.WRITE, AgentStep.START, AgentStep.GATE, AgentStep.GREET}
    assert step not in talking


def test_an_agent_walks_the_whole_road() -> None:
    ready = replace(AGENT, machine=Machine.READY)
    configuring = replace(ready, phase=AgentPhase.CONFIGURING)
    running = replace(ready, phase=AgentPhase.RUNNING, fulfilled=True)
    walked = [
        next_agent_step(snapshot, NOW, DEADLINES)
        for snapshot in (
            AGENT,
            replace(AGENT, machine=Machine.COMING),
            ready,
            configuring,
            replace(configuring, set_up=SetUp.WRITTEN),
            replace(configuring, set_up=SetUp.STARTED),
            replace(configuring, set_up=SetUp.READY),
            running,
        )
    ]
    assert walked == [
        AgentStep.PLACE,
        AgentStep.WAIT,
        AgentStep.CONFIGURE,
        AgentStep.WRITE,
        AgentStep.START,
        AgentStep.GATE,
        AgentStep.GREET,
        AgentStep.REST,
    ]


def test_a_restart_waits_for_the_end_of_a_turn() -> None:
    changed = replace(AGENT, phase=AgentPhase.RUNNING, machine=Machine.READY)
    assert next_agent_step(changed, NOW, DEADLINES) is AgentStep.CONFIGURE
    talking = replace(changed, talking=True)
    assert next_agent_step(talking, NOW, DEADLINES) is AgentStep.WAIT


def test_machines_that_do_not_come_up_are_not_bought_for_ever() -> None:
    again = replace(AGENT, machine=Machine.LEAVING, machines_failed=DEADLINES.machines - 1)
    assert next_agent_step(again, NOW, DEADLINES) is AgentStep.PLACE
    enough = replace(again, machines_failed=DEADLINES.machines)
    assert next_agent_step(enough, NOW, DEADLINES) is AgentStep.FAIL_MACHINES


def test_a_lost_machine_with_work_on_it_is_told_and_an_unused_one_is_replaced() -> None:
    lost = replace(AGENT, phase=AgentPhase.CONFIGURING, machine=Machine.LOST)
    assert next_agent_step(lost, NOW, DEADLINES) is AgentStep.START_OVER
    used = replace(lost, has_run=True)
    assert next_agent_step(used, NOW, DEADLINES) is AgentStep.FAIL_LOST


def test_a_failed_agent_rests_until_another_wish_comes() -> None:
    failed = replace(AGENT, phase=AgentPhase.FAILED, fulfilled=True)
    assert next_agent_step(failed, NOW, DEADLINES) is AgentStep.REST
    retried = replace(failed, fulfilled=False)
    assert next_agent_step(retried, NOW, DEADLINES) is AgentStep.START_OVER


@given(some.integers(0, 10_000), some.floats(0, 1))
def test_back_off_is_bounded_on_both_sides(attempts: int, jitter: float) -> None:
    wait = lifecycle.back_off(attempts, jitter)
    assert timedelta(seconds=0.5) <= wait <= timedelta(seconds=90)


@given(
    some.timedeltas(min_value=timedelta(hours=-1), max_value=timedelta(days=9)), some.floats(0, 1)
)
def test_polling_slows_down_and_never_stops(waited: timedelta, jitter: float) -> None:
    wait = lifecycle.poll_delay(waited, jitter)
    assert timedelta(seconds=0.2) <= wait <= timedelta(seconds=7)
