"""Real guests keep what a cloud promises of its machines: user-data, power, disks, metadata."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from farm.sandbox.guests.base import (
    GuestError,
    GuestNotFoundError,
    GuestSpec,
    GuestState,
    ImageNotFoundError,
)
from tests.lab.boot import PATIENCE, Booted, Lab, lab, wait_for_ssh, wait_until

pytestmark = pytest.mark.lab

USER_DATA = "#cloud-config\nruncmd: [[touch, /root/was-here]]\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("guests")) as real:
        yield real


def test_cloud_init_executes_the_user_data(running: Lab) -> None:
    guest = running.boot(USER_DATA, name="ada")

    guest.wait_for_cloud_init()

    assert guest.execute("ls", "/root").split() == ["was-here"]
    assert guest.execute("hostname").strip() == "ada"
    assert guest.execute("systemctl", "is-system-running", "--wait").strip() == "running"


def test_a_guest_reaches_the_world_by_name(running: Lab) -> None:
    guest = running.boot(USER_DATA)

    updated = guest.execute("apt-get", "update")

    assert "Reading package lists" in updated


def test_metadata_tells_every_guest_about_itself(running: Lab) -> None:
    ada, bob = running.boot("#cloud-config\n{}\n", name="ada"), running.boot(USER_DATA, name="bob")

    seen = [json.loads(_fetch(guest, "metadata")) for guest in (ada, bob)]

    assert [told["hostname"] for told in seen] == ["ada", "bob"]
    assert [told["public-ipv4"] for told in seen] == [ada.ipv4, bob.ipv4]
    assert _fetch(bob, "metadata/instance-id") == str(bob.id)
    assert _fetch(bob, "userdata") == USER_DATA
    assert bob.execute("curl", "-s", "-w", "%{http_code}", f"{METADATA}/none").endswith("404")


def test_services_are_reached_by_guests_and_by_this_machine(running: Lab) -> None:
    guest = running.boot(USER_DATA)
    listener = running.guests.listen()
    address, port = listener.getsockname()
    server = HTTPServer((address, port), _Greeting, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert address == running.guests.service_host
        assert httpx.get(f"http://{address}:{port}/").text == "hello"
        assert guest.execute("curl", "-s", f"http://{address}:{port}/") == "hello"
        with pytest.raises(GuestError, match="listen"):
            running.guests.listen(port)
    finally:
        server.shutdown()
        server.server_close()


def test_power_cut_keeps_the_disk(running: Lab) -> None:
    guest = running.boot(USER_DATA)
    guest.wait_for_cloud_init()
    guest.execute("sh", "-c", "echo kept > /root/note; rm /root/was-here")

    running.wait(running.guests.power_off(guest.id))
    off = running.wait(running.guests.state(guest.id))
    running.wait(running.guests.power_on(guest.id))
    wait_for_ssh(guest.ipv4)

    assert off == GuestState.OFF
    assert running.wait(running.guests.state(guest.id)) == GuestState.RUNNING
    assert guest.execute("cat", "/root/note") == "kept\n"
    guest.wait_for_cloud_init()
    assert guest.execute("ls", "/root").split() == ["note"], "cloud-init ran a second time"


def test_the_power_button_halts_it_in_order(running: Lab) -> None:
    guest = running.boot(USER_DATA)
    goodbye = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=touch /root/goodbye\n"
    guest.execute("sh", "-c", f"printf '{goodbye}' > /run/systemd/system/bye.service")
    guest.execute("systemctl", "start", "bye")

    running.wait(running.guests.shutdown(guest.id))
    _wait_for_state(running, guest, GuestState.OFF)

    running.wait(running.guests.power_on(guest.id))
    wait_for_ssh(guest.ipv4)
    assert guest.execute("ls", "/root/goodbye")


def test_a_guest_that_halts_itself_is_off_and_one_that_restarts_is_not(running: Lab) -> None:
    guest = running.boot(USER_DATA)
    before = guest.first_process

    guest.execute("systemctl", "reboot", check=False)
    wait_until(lambda: guest.first_process not in (0, before), "it did not boot again")
    wait_for_ssh(guest.ipv4)
    assert running.wait(running.guests.state(guest.id)) == GuestState.RUNNING

    guest.execute("systemctl", "poweroff", check=False)
    _wait_for_state(running, guest, GuestState.OFF)


def test_a_snapshot_boots_as_another_machine(running: Lab) -> None:
    first = running.boot(USER_DATA, name="first")
    first.wait_for_cloud_init()
    first.execute("sh", "-c", "echo baked > /opt/note; rm /usr/bin/wget; rm -r /etc/ufw /etc/skel")
    first.execute("sh", "-c", "mkdir /etc/skel; echo new > /etc/skel/only")
    running.wait(running.guests.power_off(first.id))

    size = running.wait(running.guests.snapshot(first.id, "77"))
    running.wait(running.guests.destroy(first.id))
    second = running.boot("#cloud-config\nruncmd: [[touch, /root/again]]\n", name="b", image="77")
    second.wait_for_cloud_init()

    assert size > 100_000_000
    assert second.execute("cat", "/opt/note") == "baked\n"
    assert second.execute("ls", "/etc/skel").split() == ["only"]
    assert second.execute("sh", "-c", "command -v wget || echo gone") == "gone\n"
    assert second.execute("ls", "/root").split() == ["again", "was-here"]
    assert second.execute("hostname") == "b\n"


def test_a_running_guest_is_snapshot_as_it_stands_and_goes_on(running: Lab) -> None:
    first = running.boot(USER_DATA)
    first.execute("sh", "-c", "echo one > /root/one")

    running.wait(running.guests.snapshot(first.id, "running"))
    first.execute("sh", "-c", "echo two > /root/two")
    second = running.boot(USER_DATA, image="running")
    running.wait(running.guests.delete_image("running"))

    assert second.execute("cat", "/root/one") == "one\n"
    assert "two" not in second.execute("ls", "/root")
    with pytest.raises(ImageNotFoundError):
        running.boot(USER_DATA, image="running")


def test_creating_twice_makes_one_guest_and_destroying_is_final(running: Lab) -> None:
    guest = running.boot(USER_DATA)
    guest.execute("touch", "/root/mine")

    running.wait(running.guests.create(GuestSpec(guest.id, "x", "debian-12", "", guest.ipv4)))
    assert "mine" in guest.execute("ls", "/root")

    running.wait(running.guests.destroy(guest.id))
    running.wait(running.guests.destroy(guest.id))
    with pytest.raises(GuestNotFoundError):
        running.wait(running.guests.state(guest.id))
    assert running.guests.next_ipv4() <= guest.ipv4, "its address is free again"


def test_what_a_destroyed_guest_wrote_goes_also_if_the_power_is_cut_meanwhile(
    tmp_path: Path,
) -> None:
    guests = tmp_path / "guests"
    with lab(tmp_path) as running:
        guest = running.boot(USER_DATA)
        folder = guests / str(guest.id)
        running.wait(running.guests.destroy(guest.id))
        assert not folder.exists()

    with lab(tmp_path):
        wait_until(lambda: not list(guests.iterdir()), lambda: f"left: {list(guests.iterdir())}")


def test_several_guests_boot_at_once(running: Lab) -> None:
    specs = [
        GuestSpec(1000 + n, f"many-{n}", "debian-12", USER_DATA, running.guests.next_ipv4())
        for n in range(4)
    ]

    for order in [running.begin(running.guests.create(spec)) for spec in specs]:
        order.result(PATIENCE)

    assert all("OpenSSH" in wait_for_ssh(spec.ipv4) for spec in specs)
    for spec in specs:
        running.wait(running.guests.destroy(spec.id))


def test_a_guests_memory_is_bounded_from_outside(running: Lab) -> None:
    limit = Path("/sys/fs/cgroup/memory")
    if not limit.exists():
        limit = Path("/sys/fs/cgroup")
    guest = running.boot(USER_DATA)

    group = limit / running.guests.slice.link / f"g{guest.id}"
    bounds = [*group.glob("memory.max"), *group.glob("memory.limit_in_bytes")]
    within = [int(pid) for path in group.rglob("cgroup.procs") for pid in path.read_text().split()]

    assert guest.first_process in within
    assert [bound.read_text().strip() for bound in bounds] == [str(4096 * 1024 * 1024)]


def test_an_unknown_image_is_refused(running: Lab) -> None:
    with pytest.raises(ImageNotFoundError, match="windows"):
        running.boot(USER_DATA, image="windows")


METADATA = "http://169.254.169.254/hetzner/v1"


class _Greeting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as it is called)
        """Say nothing."""


def _fetch(guest: Booted, path: str) -> str:
    return guest.execute("curl", "--fail", "--silent", f"{METADATA}/{path}")


def _wait_for_state(running: Lab, guest: Booted, state: GuestState) -> None:
    wait_until(
        lambda: running.wait(running.guests.state(guest.id)) == state, f"it never was {state}"
    )
