"""A sandbox that is killed leaves nothing running, and its guests boot again at the next start."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.boot import Booted, lab, wait_for_ssh, wait_until

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]

SANDBOX = """
import sys
from pathlib import Path
from tests.lab.boot import Lab, wait_until
lab = Lab(Path(sys.argv[1]))
lab.wait(lab.guests.start())
lab.wait(lab.guests.image_ready("debian-12"))
for name in ("on", "off", "halted"):
    lab.boot("#cloud-config\\n{}\\n", name=name).wait_for_cloud_init()
lab.wait(lab.guests.power_off(2))
lab.boots[3].execute("systemctl", "poweroff", check=False)
wait_until(lambda: lab.wait(lab.guests.state(3)) == "off", "it did not halt")
lab.boots[1].execute("sh", "-c", "echo kept > /root/note; sync")
if sys.argv[2:] == ["still"]:
    lab.wait(lab.guests.switchboard.powered(1).held_still().__aenter__())
print(lab.guests.slice.link, lab.boots[1].ipv4, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["moving", "still"])
def test_a_killed_sandbox_leaves_nothing_and_comes_back(tmp_path: Path, how: str) -> None:
    with _sandbox(tmp_path, how) as sandbox:
        assert sandbox.stdout is not None
        link, ipv4 = sandbox.stdout.readline().split()
        assert _left(tmp_path, link), "the search finds guests that run"
        sandbox.send_signal(signal.SIGKILL)
        sandbox.wait(10)

    wait_until(lambda: not _left(tmp_path, link), lambda: f"left: {_left(tmp_path, link)}")

    with lab(tmp_path) as again:
        assert "OpenSSH" in wait_for_ssh(ipv4)
        assert Booted(1, ipv4, again).execute("cat", "/root/note") == "kept\n"
        states = [str(again.wait(again.guests.state(guest_id))) for guest_id in (1, 2, 3)]
        assert states == ["running", "off", "off"]
    assert not _left(tmp_path, link), "an orderly end leaves nothing at once"


def test_a_second_sandbox_waits_until_the_first_is_gone(tmp_path: Path) -> None:
    with _sandbox(tmp_path, "moving") as sandbox:
        assert sandbox.stdout is not None
        _, ipv4 = sandbox.stdout.readline().split()
        sandbox.send_signal(signal.SIGKILL)
        with lab(tmp_path):
            assert "OpenSSH" in wait_for_ssh(ipv4)


@contextmanager
def _sandbox(state: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SANDBOX, str(state), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _left(state: Path, link: str) -> list[str]:
    """Processes and mounts that know the state folder, links and control groups of its network."""
    mounts = [path for path in Path("/proc").glob("[0-9]*/mountinfo") if str(state) in _text(path)]
    told = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(state) in _text(path)]
    links = [path for path in Path("/sys/class/net").iterdir() if path.name == link]
    groups = [*Path("/sys/fs/cgroup").glob(f"*/{link}"), *Path("/sys/fs/cgroup").glob(link)]
    return [str(path) for path in (*mounts, *told, *links, *groups)]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
