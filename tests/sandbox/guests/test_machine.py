"""What a machine of either kind promises: user-data, SSH, power, disks, firewall."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from farm.sandbox.guests.base import CloudName, GuestRule, Nameplate
from provisioning import runtime, ssh
from provisioning.certificates import Authority, new_private_key
from provisioning.errors import HostKeyMismatch, Transient
from provisioning.remotefiles import RemoteFile
from tests.sandbox.guests.house import House, Machine, new_papers


def test_the_user_data_sets_the_machine_up(first: Machine) -> None:
    with first.shell() as shell:
        shown = shell.run(
            [
                "stat",
                "-c",
                "%a %U:%G %n",
                "/etc/farm",
                "/usr/local/sbin/farm-setup",
                "/var/lib/openclaw/.openclaw",
                "/etc/openclaw",
                "/etc/ssh/farm_ca.pub",
            ]
        )
        name = shell.run(["hostname"]).stdout

    assert shown.stdout.decode().splitlines() == [
        "755 root:root /etc/farm",
        "755 root:root /usr/local/sbin/farm-setup",
        "700 openclaw:openclaw /var/lib/openclaw/.openclaw",
        "750 root:openclaw /etc/openclaw",
        "644 root:root /etc/ssh/farm_ca.pub",
    ]
    assert name.decode().strip() == first.papers.principal


def test_the_first_connection_shows_the_key_of_the_user_data(first: Machine) -> None:
    with first.shell() as shell:
        assert shell.host_key == " ".join(first.papers.host_key_public.split()[:2])


def test_another_host_key_stops_everything(first: Machine) -> None:
    target = replace(first.target, host_keys=(new_private_key()[1],))

    with pytest.raises(HostKeyMismatch), ssh.connect(target, first.house.authority, _now()):
        pass


def test_a_stranger_with_a_certificate_of_their_own_is_refused(first: Machine) -> None:
    stranger = Authority.from_openssh([new_private_key()[0]])

    with pytest.raises(Transient, match="certificate"), first.shell(stranger):
        pass


def test_a_certificate_for_another_machine_is_refused(first: Machine) -> None:
    target = replace(first.target, principal="server-of-somebody-else")

    with (
        pytest.raises(Transient, match="certificate"),
        ssh.connect(target, first.house.authority, _now()),
    ):
        pass


def test_a_command_has_streams_and_an_exit_code(first: Machine) -> None:
    with first.shell() as shell:
        echoed = shell.run(["sh", "-c", "cat; echo trouble >&2; exit 3"], stdin=b"a\0b\n")
        missing = shell.run(["no-such-program"])

    assert (echoed.exit_code, echoed.stdout, echoed.stderr) == (3, b"a\0b\n", b"trouble\n")
    assert missing.exit_code == 127
    assert b"not found" in missing.stderr


def test_files_arrive_whole_with_their_owner_and_mode(first: Machine) -> None:
    wanted = (
        RemoteFile("/etc/openclaw/a file", b"one\n", 0o640, "root:openclaw"),
        RemoteFile("/var/lib/openclaw/kept", b"new\n", 0o600, "openclaw:openclaw", keep=True),
    )
    with first.shell() as shell:
        shell.run(["sh", "-c", "echo old > /var/lib/openclaw/kept"])
        shell.write(wanted)
        shell.write(wanted)
        mode = shell.run(["stat", "-c", "%a %U:%G", "/etc/openclaw/a file"]).stdout
        kept = shell.run(["cat", "/var/lib/openclaw/kept"]).stdout
        left = shell.run(["ls", "-A", "/etc/openclaw"]).stdout

    assert (mode, kept) == (b"640 root:openclaw\n", b"old\n")
    assert left == b"a file\n"


def test_the_agent_cannot_read_what_is_not_its_own(first: Machine) -> None:
    with first.shell() as shell:
        shell.run(["sh", "-c", "umask 077 && echo s > /root/secret"])
        seen = shell.run(["runuser", "-u", "openclaw", "--", "cat", "/root/secret"])

    assert (seen.exit_code, seen.stdout) == (1, b"")
    assert b"Permission denied" in seen.stderr


def test_the_metadata_service_is_closed_to_the_agent_only(first: Machine) -> None:
    url = "http://169.254.169.254/hetzner/v1/metadata/hostname"
    with first.shell() as shell:
        root = shell.run(["curl", "-fsS", url])
        agent = shell.run(["runuser", "-u", "openclaw", "--", "curl", "-fsS", url])

    assert root.stdout.decode().strip() == first.papers.principal
    assert (agent.exit_code, agent.stdout) == (7, b"")


def test_scaleway_tells_its_user_data_to_root_alone(house: House, image: str) -> None:
    papers = new_papers()
    plate = Nameplate(CloudName.SCALEWAY, "0c5f", "DEV1-M", "fr-par-1", ("farm=1", "two"))
    machine = house.create(house.user_data(papers), papers, image=image, plate=plate)
    assert machine.installed().state is runtime.InstallationState.INSTALLED
    there, low = "http://169.254.42.42", ("--local-port", "1-1023")
    with machine.shell() as shell:
        conf = json.loads(shell.run(["curl", "-fsS", f"{there}/conf?format=json"]).stdout)
        lines = shell.run(["curl", "-fsS", f"{there}/conf"]).stdout.decode().splitlines()
        whole = shell.run(["curl", "-fsS", *low, f"{there}/user_data/cloud-init"])
        high = shell.run(["curl", "-fsS", f"{there}/user_data/cloud-init"])
        agent = shell.run(["runuser", "-u", "openclaw", "--", "curl", "-fsS", f"{there}/conf"])
        others = shell.run(["curl", "-fsS", "http://169.254.169.254/hetzner/v1/userdata"])
    house.destroy(machine)

    assert (conf["id"], conf["hostname"]) == ("0c5f", papers.principal)
    assert (conf["tags"], conf["public_ip"]["address"]) == (["farm=1", "two"], machine.ipv4)
    assert {"COMMERCIAL_TYPE=DEV1-M", "TAGS=2", "TAGS_1=two"} < set(lines)
    assert whole.stdout.decode() == house.user_data(papers)
    assert (high.exit_code, high.stdout) == (22, b"")
    assert (agent.exit_code, agent.stdout) == (7, b"")
    assert (others.exit_code, others.stdout) == (22, b"")


def test_only_the_gateways_port_can_be_reached_through_ssh(first: Machine) -> None:
    with first.shell() as shell:
        with pytest.raises(Transient) as closed:
            shell.forward(runtime.PORT)
        with pytest.raises(Transient) as forbidden:
            shell.forward(22)

    assert (closed.value.code, forbidden.value.code) == ("nothing_listens", "channel_refused")


def test_a_disk_outlives_the_power(house: House, image: str) -> None:
    papers = new_papers()
    machine = house.create(house.user_data(papers), papers, image=image)
    machine.installed()
    with machine.shell() as shell:
        shell.run(["sh", "-c", "echo here > /root/note && sync"])

    house.wait(house.guests.power_off(machine.id))
    assert house.is_off(machine)
    with pytest.raises(Transient), machine.shell():
        pass
    house.wait(house.guests.power_on(machine.id))
    machine.reached()

    with machine.shell() as shell:
        assert shell.run(["cat", "/root/note"]).stdout == b"here\n"
    house.destroy(machine)


def test_a_machine_that_is_asked_to_halt_goes_off(house: House, image: str) -> None:
    papers = new_papers()
    machine = house.create(house.user_data(papers), papers, image=image)
    machine.installed()

    house.wait(house.guests.shutdown(machine.id))

    house.wait_until(lambda: house.is_off(machine), "It never halts.")
    house.destroy(machine)


def test_an_image_with_the_runtime_needs_no_installation(house: House, image: str) -> None:
    papers = new_papers()
    machine = house.create(house.user_data(papers), papers, image=image)

    outcome = machine.installed()

    assert outcome.state is runtime.InstallationState.INSTALLED
    with machine.shell() as shell:
        log = shell.run(["cat", "/var/log/farm-install.log"]).stdout
    assert b"\nadded " not in log
    house.destroy(machine)


def test_the_vanilla_image_gets_the_runtime_from_the_registries(house: House) -> None:
    papers = new_papers()
    machine = house.create(house.user_data(papers), papers)

    assert machine.installed().state is runtime.InstallationState.INSTALLED
    with machine.shell() as shell:
        assert b"\nadded " in shell.run(["cat", "/var/log/farm-install.log"]).stdout
    house.destroy(machine)


def test_the_firewall_decides_who_gets_in(house: House, first: Machine) -> None:
    with first.shell():
        pass
    house.wait(house.guests.firewall(first.id, [GuestRule(22, ("203.0.113.0/24",))]))
    with pytest.raises(Transient), first.shell():
        pass

    house.wait(house.guests.firewall(first.id, [GuestRule(22, ("0.0.0.0/0",))]))

    with first.shell():
        pass
    house.wait(house.guests.firewall(first.id, None))


def test_the_host_key_is_replaced_over_the_first_connection(house: House, image: str) -> None:
    papers = new_papers()
    machine = house.create(house.user_data(papers), papers, image=image)
    machine.installed()
    with machine.shell() as shell:
        fresh = runtime.rotate_host_key(shell)
        assert runtime.rotate_host_key(shell) == fresh
    with machine.shell() as shell:
        runtime.confirm_host_key(shell)
        runtime.confirm_host_key(shell)

    renewed = replace(machine, papers=replace(papers, host_key_public=fresh))
    renewed.reached()

    with renewed.shell() as shell:
        assert shell.host_key == fresh
    with pytest.raises(HostKeyMismatch), machine.shell():
        pass
    house.destroy(machine)


def _now() -> datetime:
    return datetime.now(UTC)
