"""The guests' network lets through what the cloud's firewalls say, and nothing to this machine."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from farm.sandbox.guests.base import GuestRule
from tests.lab.boot import Booted, Lab, answers, lab, wait_until

pytestmark = pytest.mark.lab

USER_DATA = "#cloud-config\n{}\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("network")) as real:
        yield real


def test_a_firewall_bites_and_opens_while_the_guest_runs(running: Lab) -> None:
    guest = running.boot(USER_DATA)
    edge = running.guests.slice.host

    _set_firewall(running, guest, [])
    assert not answers(guest.ipv4, 22)
    _set_firewall(running, guest, [GuestRule(80, ("0.0.0.0/0",))])
    assert not answers(guest.ipv4, 22)
    _set_firewall(running, guest, [GuestRule(22, ("203.0.113.0/24", "::/0"))])
    assert not answers(guest.ipv4, 22)
    _set_firewall(running, guest, [GuestRule(22, ("203.0.113.0/24", f"{edge}/32"))])
    assert answers(guest.ipv4, 22)
    _set_firewall(running, guest, None)
    assert answers(guest.ipv4, 22)


def test_a_firewall_holds_over_a_power_cut(running: Lab) -> None:
    guest = running.boot(USER_DATA)
    _set_firewall(running, guest, [])

    running.wait(running.guests.power_off(guest.id))
    running.wait(running.guests.power_on(guest.id))
    wait_until(
        lambda: "active" in guest.execute("systemctl", "is-active", "ssh", check=False).split(),
        "its sshd did not come up",
    )

    assert not answers(guest.ipv4, 22)


def test_guests_reach_each_other_only_if_the_firewall_says_so(running: Lab) -> None:
    ada, bob = running.boot(USER_DATA), running.boot(USER_DATA)

    assert _reaches(ada, bob.ipv4, 22), "without a firewall everything is open, as at a cloud"
    _set_firewall(running, bob, [GuestRule(22, (f"{running.guests.slice.host}/32",))])
    assert not _reaches(ada, bob.ipv4, 22)
    assert answers(bob.ipv4, 22)
    _set_firewall(running, bob, [GuestRule(22, (f"{ada.ipv4}/32",))])
    assert _reaches(ada, bob.ipv4, 22)
    assert not answers(bob.ipv4, 22)


def test_a_guest_cannot_take_anothers_address(running: Lab) -> None:
    ada, bob = running.boot(USER_DATA), running.boot(USER_DATA)
    ada.execute("ip", "address", "add", f"{bob.ipv4}/32", "dev", "eth0")

    asked = ada.execute(
        *("curl", "--silent", "--max-time", "2", "--interface", bob.ipv4),
        "http://169.254.169.254/hetzner/v1/metadata/public-ipv4",
        check=False,
    )

    assert asked == ""


def test_guests_do_not_reach_this_machine(running: Lab) -> None:
    guest = running.boot(USER_DATA)

    with _listening_everywhere() as port:
        assert answers("127.0.0.1", port)
        assert answers(running.guests.slice.host, port)
        for address in (*_addresses(), "10.0.2.2", running.guests.service_host):
            assert not _reaches(guest, address, port), f"{address} lets a guest in"


def _set_firewall(running: Lab, guest: Booted, rules: list[GuestRule] | None) -> None:
    running.wait(running.guests.firewall(guest.id, rules))


def _reaches(guest: Booted, host: str, port: int) -> bool:
    connect = f"timeout 2 bash -c '</dev/tcp/{host}/{port}' 2>/dev/null && echo yes || echo no"
    return guest.execute("sh", "-c", connect) == "yes\n"


@contextmanager
def _listening_everywhere() -> Iterator[int]:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        yield listener.getsockname()[1]


def _addresses() -> list[str]:
    """Every address of this machine but the loopback's, where a guest would find itself."""
    told = subprocess.run(
        ["ip", "-json", "-4", "address"], capture_output=True, text=True, check=True
    )
    found = [one["local"] for link in json.loads(told.stdout) for one in link["addr_info"]]
    return [address for address in found if not address.startswith("127.")]
