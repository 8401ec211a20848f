"""Another machine or another size, decided from a snapshot: nothing is lost on any road."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.changing import Change, ChangeSnapshot, ChangeStep, next_change_step
from provisioning.lifecycle import next_server_step
from provisioning.phases import AgentPhase, ServerPhase
from provisioning.steps import Deadlines, Machine, Saving, ServerSnapshot, ServerStep, SetUp

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SETTLED = ChangeSnapshot(
    phase=AgentPhase.RUNNING,
    phase_since=NOW,
    change=Change.NOTHING,
    wanted_deleted=False,
    fulfilled=True,
    talking=False,
    set_up=SetUp.NOTHING,
    machine=Machine.READY,
)
ANY = st.builds(
    ChangeSnapshot,
    phase=st.sampled_from(AgentPhase),
    phase_since=st.sampled_from([NOW, NOW - timedelta(hours=2)]),
    change=st.sampled_from(Change),
    wanted_deleted=st.booleans(),
    fulfilled=st.booleans(),
    talking=st.booleans(),
    set_up=st.sampled_from(SetUp),
    machine=st.sampled_from(Machine),
    successor=st.sampled_from(Machine),
    failures=st.integers(0, 4),
    on_trial=st.booleans(),
    may_speak=st.booleans(),
    to_restore=st.booleans(),
    saving=st.sampled_from(Saving),
    done=st.booleans(),
    type_asked=st.booleans(),
    type_fits=st.booleans(),
)


def step(agent: ChangeSnapshot) -> ChangeStep | None:
    """What is next with the usual waits."""
    return next_change_step(agent, NOW, Deadlines())


@given(agent=ANY)
def test_nobody_takes_over_before_all_is_saved_and_its_own_program_is_silent(
    agent: ChangeSnapshot,
) -> None:
    if step(agent) is ChangeStep.TAKE_OVER:
        assert agent.phase is AgentPhase.MOVING
        assert agent.successor is Machine.READY
        assert agent.saving is Saving.KEPT or agent.to_restore
        assert agent.set_up is SetUp.STILL or agent.machine in (Machine.OFF, Machine.LOST)


@given(agent=ANY)
def test_the_place_is_given_back_only_once_the_other_is_silent(agent: ChangeSnapshot) -> None:
    if step(agent) is ChangeStep.GIVE_BACK:
        assert agent.on_trial
        assert not agent.may_speak


@given(agent=ANY)
def test_nothing_is_bought_for_a_change_that_was_taken_back(agent: ChangeSnapshot) -> None:
    if step(agent) is ChangeStep.PLACE_SUCCESSOR:
        assert agent.change is Change.REPLACE
        assert not agent.done
        assert agent.failures < Deadlines().machines


@given(agent=ANY)
def test_a_turn_is_never_cut_off(agent: ChangeSnapshot) -> None:
    if agent.talking:
        assert step(agent) not in (ChangeStep.BEGIN_SWITCH, ChangeStep.BEGIN_RESIZE)


@given(agent=ANY)
def test_a_deletion_is_ordinary_life_but_for_a_machine_to_be_saved(agent: ChangeSnapshot) -> None:
    if agent.wanted_deleted:
        assert step(agent) in (None, ChangeStep.SWITCH_ON)


@given(agent=ANY)
def test_every_phase_of_a_change_has_a_next_step(agent: ChangeSnapshot) -> None:
    if agent.phase in (AgentPhase.MOVING, AgentPhase.RESIZING) and not agent.wanted_deleted:
        assert step(agent) is not None


@given(agent=ANY)
def test_an_agent_without_a_change_lives_as_ever(agent: ChangeSnapshot) -> None:
    resting = (AgentPhase.MOVING, AgentPhase.RESIZING)
    if agent.change is Change.NOTHING and agent.phase not in resting and not agent.on_trial:
        assert step(agent) is None


MOVING = replace(SETTLED, phase=AgentPhase.MOVING, change=Change.REPLACE, successor=Machine.READY)


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (replace(SETTLED, change=Change.REPLACE), ChangeStep.PLACE_SUCCESSOR),
        (replace(SETTLED, change=Change.REPLACE, fulfilled=False), None),
        (replace(SETTLED, change=Change.REPLACE, successor=Machine.COMING), ChangeStep.WAIT),
        (replace(SETTLED, change=Change.REPLACE, failures=3), ChangeStep.GIVE_UP_SUCCESSOR),
        (replace(SETTLED, change=Change.RESIZE), ChangeStep.BEGIN_RESIZE),
        (MOVING, ChangeStep.SILENCE),
        (replace(MOVING, set_up=SetUp.STILL), ChangeStep.SAVE),
        (replace(MOVING, set_up=SetUp.STILL, saving=Saving.FAILED), ChangeStep.GIVE_UP_BACKUP),
        (replace(MOVING, phase_since=NOW - timedelta(hours=1)), ChangeStep.GIVE_UP_LATE),
        (
            replace(MOVING, phase_since=NOW - timedelta(hours=1), to_restore=True),
            ChangeStep.PULL_THE_PLUG,
        ),
        (replace(MOVING, successor=Machine.LOST), ChangeStep.GIVE_UP_SUCCESSOR),
        (replace(MOVING, machine=Machine.LOST), ChangeStep.FAIL_LOST),
        (replace(MOVING, change=Change.NOTHING), ChangeStep.RETURN),
        (replace(MOVING, change=Change.NOTHING, machine=Machine.OFF), ChangeStep.SWITCH_ON),
    ],
)
def test_the_road(agent: ChangeSnapshot, expected: ChangeStep | None) -> None:
    assert step(agent) is expected


RESIZING = replace(SETTLED, phase=AgentPhase.RESIZING, change=Change.RESIZE, type_asked=True)


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (RESIZING, ChangeStep.SILENCE),
        (replace(RESIZING, set_up=SetUp.STILL), ChangeStep.HALT),
        (replace(RESIZING, machine=Machine.HALTING), ChangeStep.WAIT),
        (replace(RESIZING, machine=Machine.OFF), ChangeStep.WAIT),
        (replace(RESIZING, machine=Machine.OFF, type_asked=False), ChangeStep.SWITCH_ON),
        (replace(RESIZING, type_asked=False, type_fits=True), ChangeStep.RECONFIGURE),
        (replace(RESIZING, type_asked=False), ChangeStep.GIVE_UP_TYPE),
        (replace(RESIZING, machine=Machine.LOST), ChangeStep.FAIL_LOST),
        (
            replace(RESIZING, machine=Machine.OFF, wanted_deleted=True, saving=Saving.UNDER_WAY),
            ChangeStep.SWITCH_ON,
        ),
    ],
)
def test_the_road_of_a_resize(agent: ChangeSnapshot, expected: ChangeStep) -> None:
    assert step(agent) is expected


@pytest.mark.parametrize("phase", [ServerPhase.CREATING, ServerPhase.BOOTING])
def test_a_machine_that_its_cloud_did_not_list_is_looked_for(phase: ServerPhase) -> None:
    server = ServerSnapshot(phase, NOW, wanted_gone=False, create_sent=True, distrusted=False)
    missed = replace(server, missed=True)
    assert next_server_step(missed, NOW, Deadlines()) is ServerStep.LOOK
    assert next_server_step(server, NOW, Deadlines()) is not ServerStep.LOOK
