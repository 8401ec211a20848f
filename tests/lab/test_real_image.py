"""The guest image is built once, whole or not at all, and dies with whoever builds it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from farm.sandbox.guests.base import GuestError, GuestState
from farm.sandbox.guests.real.image import Image
from farm.sandbox.guests.real.recipe import Recipe
from tests.lab.baking import own_cache
from tests.lab.boot import Booted, lab, wait_until

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
BUILD = """
import asyncio, sys
from pathlib import Path
from farm.sandbox.guests.real.image import Image
async def build():
    image = Image(Path(sys.argv[1]))
    building = asyncio.create_task(image.prepare())
    while not building.done():
        print(image.progress(), flush=True)
        await asyncio.wait([building], timeout=0.1)
asyncio.run(build())
"""

BAKE = """#cloud-config
runcmd:
  - echo baked > /opt/made
  - truncate -s 0 /etc/machine-id
  - systemctl poweroff --no-block
"""


def test_a_killed_builder_leaves_no_process_and_no_image(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT)},
    ) as builder:
        assert builder.stdout is not None
        line = next(line for line in builder.stdout if "installing" in line)
        assert "usually" in line
        builder.send_signal(signal.SIGKILL)

    wait_until(lambda: not _at_work(tmp_path), lambda: f"left: {_at_work(tmp_path)}")
    assert not list((tmp_path / "guests").glob("[!.]*/root"))


def test_a_build_that_fails_says_why_and_what_to_do(tmp_path: Path) -> None:
    async def elsewhere() -> Recipe:
        return Recipe("bookworm", ("systemd",), ("deb file:///nowhere bookworm main",), ())

    image = Image(tmp_path, elsewhere)

    with pytest.raises(GuestError, match=r"could not be built: .*nowhere.*apt-get update"):
        asyncio.run(image.prepare())

    assert image.progress() == ""
    assert [path.suffix for path in (tmp_path / "guests").iterdir()] == [".lock"]


def test_what_one_sandbox_baked_the_next_has_without_a_boot(tmp_path: Path) -> None:
    cache = own_cache(tmp_path)
    with lab(tmp_path / "first", cache) as first:
        baker = first.boot(BAKE, boot=False)
        first.wait(first.guests.power_on(baker.id))
        assert not _is_off(baker)
        wait_until(lambda: _is_off(baker), "The machine does not halt.")
        first.wait(first.guests.snapshot(baker.id, "it"))

    with lab(tmp_path / "second", cache) as second:
        spared = second.boot(BAKE, boot=False)
        second.wait(second.guests.power_on(spared.id))
        assert _is_off(spared)
        second.wait(second.guests.snapshot(spared.id, "it"))
        made = second.boot("#cloud-config\n{}\n", image="it")
        assert made.execute("cat", "/opt/made") == "baked\n"


def _is_off(guest: Booted) -> bool:
    return guest.lab.wait(guest.lab.guests.state(guest.id)) is GuestState.OFF


def _at_work(cache: Path) -> list[str]:
    found = [*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/mountinfo")]
    return [str(path) for path in found if str(cache) in _text(path)]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
