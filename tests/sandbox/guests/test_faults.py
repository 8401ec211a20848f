"""What goes wrong between the farm and a simulated guest when a test orders it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.sandbox.faults import Fault, When
from provisioning import runtime
from provisioning.errors import AnswerLost, HostKeyMismatch, Transient
from tests.sandbox.guests.house import House, Machine, new_papers


@pytest.fixture
def machine(simulated: House) -> Iterator[Machine]:
    """A machine from the vanilla image that is set up; faults of a test end with it."""
    papers = new_papers()
    made = simulated.create(simulated.user_data(papers), papers)
    assert made.installed().state is runtime.InstallationState.INSTALLED
    yield made
    simulated.call(simulated.gate.clear)
    simulated.destroy(made)


def arm(house: House, fault: Fault) -> None:
    """Set a fault."""
    house.call(lambda: house.gate.arm(fault))


def test_each_connection_command_and_forward_is_a_call(machine: Machine) -> None:
    house = machine.house
    house.call(house.gate.clear)

    with machine.shell() as shell:
        shell.run(["true"])
        with pytest.raises(Transient, match="refused"):
            shell.forward(runtime.PORT)

    details = house.call(lambda: [(call.kind, call.detail) for call in house.gate.calls])
    assert details == [
        ("ssh", f"{machine.ipv4} connect"),
        ("ssh", f"{machine.ipv4} exec true"),
        ("ssh", f"{machine.ipv4} forward 18789"),
    ]


def test_a_connection_may_break(machine: Machine) -> None:
    arm(machine.house, Fault(kind="ssh", match=("connect",), reset=True))

    with pytest.raises(Transient), machine.shell():
        pass

    with machine.shell() as shell:
        assert shell.run(["true"]).exit_code == 0


@pytest.mark.parametrize(("when", "left"), [(When.BEFORE, 1), (When.AFTER, 0)])
def test_an_answer_may_be_lost_before_or_after_the_effect(
    machine: Machine, when: When, left: int
) -> None:
    arm(machine.house, Fault(kind="ssh", match=("exec touch",), when=when, reset=True))

    with machine.shell() as shell, pytest.raises(AnswerLost):
        shell.run(["touch", "/root/effect"])

    with machine.shell() as shell:
        assert shell.run(["test", "-e", "/root/effect"]).exit_code == left


def test_a_machine_may_die_in_the_middle_of_a_command(machine: Machine) -> None:
    house = machine.house
    arm(house, Fault(kind="program", match=("touch /root/second",), reset=True))

    with machine.shell() as shell, pytest.raises(AnswerLost):
        shell.run(["sh", "-c", "for name in first second third; do touch /root/$name; done"])

    house.wait_until(lambda: house.is_off(machine), "It goes on.")
    house.wait(house.guests.power_on(machine.id))
    machine.reached()
    with machine.shell() as shell:
        assert shell.run(["ls", "/root"]).stdout == b"first\n"


def test_a_machine_may_show_another_host_key(machine: Machine) -> None:
    arm(machine.house, Fault(kind="hostkey", match=(machine.ipv4,), reset=True))

    with pytest.raises(HostKeyMismatch), machine.shell():
        pass

    with machine.shell():
        pass


def test_a_boot_may_hang_until_the_power_is_cut(simulated: House) -> None:
    papers = new_papers()
    arm(simulated, Fault(kind="boot", match=(papers.principal,), hang=True))
    machine = simulated.create(simulated.user_data(papers), papers)
    with pytest.raises(Transient), machine.shell():
        pass

    simulated.wait(simulated.guests.power_off(machine.id))
    simulated.wait(simulated.guests.power_on(machine.id))

    assert machine.installed().state is runtime.InstallationState.INSTALLED
    simulated.call(simulated.gate.clear)
    simulated.destroy(machine)


def test_a_machine_may_be_dead_for_good(machine: Machine) -> None:
    arm(machine.house, Fault(kind="ssh", match=(machine.ipv4,), times=None, reset=True))

    for _ in range(3):
        with pytest.raises(Transient), machine.shell():
            pass
