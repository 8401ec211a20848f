"""What is wrong must go wrong alike on both kinds of guests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from provisioning import runtime
from provisioning.certificates import new_private_key
from provisioning.errors import HostKeyMismatch, ProvisioningError, Rejected, Transient
from provisioning.remotefiles import RemoteFile
from provisioning.runtime_files import CONFIG, KEYS, SECRETS
from tests.sandbox.guests.house import GATEWAY_TOKEN, House, Machine, new_papers, without


@pytest.fixture
def machine(house: House, image: str) -> Iterator[Machine]:
    """A machine that is set up and has no agent yet."""
    papers = new_papers()
    made = house.create(house.user_data(papers), papers, image=image)
    assert made.installed().state is runtime.InstallationState.INSTALLED
    yield made
    house.destroy(made)


def born_wrong(house: House, image: str, old: str, new: str) -> Machine:
    """A machine whose user-data says `new` where the farm would say `old`."""
    papers = new_papers()
    right = house.user_data(papers)
    assert old in right
    return house.create(right.replace(old, new), papers, image=image)


def test_the_wrong_authority_lets_the_farm_stand_outside(house: House, image: str) -> None:
    other = new_private_key()[1].split()[1]
    own = house.authority.public_keys[0].split()[1]
    machine = born_wrong(house, image, own, other)

    assert machine.refusal().code == "login_refused"
    house.destroy(machine)


def test_the_wrong_principal_lets_the_farm_stand_outside(house: House, image: str) -> None:
    machine = born_wrong(house, image, "/etc/ssh/principals/root", "/etc/ssh/principals/other")

    assert machine.refusal().code == "login_refused"
    house.destroy(machine)


def test_principals_that_anybody_may_write_count_for_nothing(house: House, image: str) -> None:
    line = "- path: /etc/ssh/principals/root\n"
    machine = born_wrong(house, image, line, f'{line}    permissions: "0666"\n')

    assert machine.refusal().code == "login_refused"
    house.destroy(machine)


def test_user_data_that_is_no_yaml_leaves_a_strange_machine(house: House, image: str) -> None:
    machine = born_wrong(house, image, "write_files:\n", "write_files: [\n")

    assert isinstance(machine.refusal(), HostKeyMismatch)
    house.destroy(machine)


def test_sshd_does_not_start_on_a_word_it_does_not_know(house: House, image: str) -> None:
    machine = born_wrong(house, image, "PermitRootLogin", "PermitRootLogon")
    good = house.create(house.user_data(papers := new_papers()), papers, image=image)
    good.installed()

    with pytest.raises(Transient) as refused, machine.shell():
        pass

    assert refused.value.code == "unreachable"
    house.destroy(machine)
    house.destroy(good)


def test_a_script_that_fails_is_told_as_failed(house: House, image: str) -> None:
    machine = born_wrong(house, image, "install -d -m 0750", "install -d -m 0799")

    outcome = machine.installed()

    assert outcome.state is runtime.InstallationState.FAILED
    assert "0799" in outcome.detail
    house.destroy(machine)


def test_a_key_nobody_knows_makes_the_config_invalid(machine: Machine) -> None:
    files = changed(machine, CONFIG, b'mode: "local"', b'mode: "local", prot: 1')
    with machine.shell() as shell:
        shell.write(files)
        with pytest.raises(Rejected, match="prot"):
            runtime.validate(shell)


def test_without_a_gateway_mode_it_gives_up(machine: Machine) -> None:
    with machine.shell() as shell:
        shell.write(changed(machine, CONFIG, b'mode: "local", ', b""))
        runtime.start(shell)
        machine.house.wait_until(lambda: runtime.failed(shell), "It goes on trying.")


def changed(machine: Machine, path: str, old: bytes, new: bytes) -> tuple[RemoteFile, ...]:
    """The agent's files with the first `old` in one of them replaced."""
    files = runtime.files(machine.house.settings())
    assert any(file.path == path and old in file.content for file in files)
    return tuple(
        replace(file, content=file.content.replace(old, new, 1)) if file.path == path else file
        for file in files
    )


def start(machine: Machine, files: tuple[RemoteFile, ...]) -> None:
    """Start an agent with these files."""
    with machine.shell() as shell:
        shell.write(files)
        runtime.start(shell)


def readiness(machine: Machine) -> runtime.Readiness:
    """What the gateway says of itself once it has started."""
    found: list[runtime.Readiness] = []

    def started() -> bool:
        try:
            with machine.shell() as shell:
                found.append(runtime.readiness(shell, GATEWAY_TOKEN))
        except Transient:
            return False
        return found[-1].started

    machine.house.wait_until(started, "The gateway never starts.")
    return found[-1]


def turn(machine: Machine) -> ProvisioningError:
    """Why no turn is answered."""
    with machine.shell() as shell, pytest.raises(ProvisioningError) as refused:
        runtime.say(shell, GATEWAY_TOKEN, "Hello", user="farm")
    return refused.value


def test_without_the_models_key_no_turn_is_answered(machine: Machine) -> None:
    files = without(runtime.files(machine.house.settings()), KEYS, "model_key")
    start(machine, files)

    seen = readiness(machine)

    assert not seen.good or turn(machine)


def test_a_key_the_provider_refuses_is_told(machine: Machine) -> None:
    model = replace(machine.house.settings().model, key="sk-sandbox-refused")
    start(machine, runtime.files(replace(machine.house.settings(), model=model)))
    assert readiness(machine).good

    assert turn(machine).code in {"model_refused_key", "model_failed"}


def test_without_its_token_the_gateway_never_starts(machine: Machine) -> None:
    start(
        machine,
        without(runtime.files(machine.house.settings()), SECRETS, "OPENCLAW_GATEWAY_TOKEN"),
    )

    with machine.shell() as shell:
        unit = ["systemctl", "show", "-p", "ExecMainStatus", "--value", runtime.UNIT]
        machine.house.wait_until(
            lambda: shell.run(unit).stdout.strip() == b"1", "The gateway does not end with 1."
        )
        with pytest.raises(Transient):
            runtime.readiness(shell, GATEWAY_TOKEN)


def test_a_bot_token_that_is_refused_shows_as_not_ready(machine: Machine) -> None:
    house = machine.house
    telegram = runtime.Telegram("1:no-such-bot", (777,), house.telegram_url)
    start(machine, runtime.files(replace(house.settings(), telegram=telegram)))

    house.wait_until(lambda: not readiness(machine).good, "A dead bot counts as ready.")
