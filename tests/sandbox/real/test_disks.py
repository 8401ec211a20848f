"""Disks on record: what a kill leaves half done is cleared, what is needed is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from farm.sandbox.guests.base import (
    GuestError,
    GuestNotFoundError,
    GuestRule,
    GuestSpec,
    ImageNotFoundError,
)
from farm.sandbox.guests.real.disks import Disks, Record, usable
from farm.sandbox.guests.real.seed import seed_files
from farm.sandbox.guests.real.slices import Slice

BASE = "base/0123"


@pytest.fixture
def bases(tmp_path: Path) -> Path:
    (tmp_path / "bases/0123/root").mkdir(parents=True)
    return tmp_path / "bases"


@pytest.fixture
def disks(tmp_path: Path, bases: Path) -> Disks:
    return _loaded(tmp_path, bases)


def _loaded(tmp_path: Path, bases: Path) -> Disks:
    disks = Disks(tmp_path / "state", bases)
    asyncio.run(disks.load())
    return disks


def _record(guest_id: int, *layers: str, on: bool = True) -> Record:
    spec = GuestSpec(guest_id, f"guest-{guest_id}", "debian-12", "#cloud-config\n", "198.18.0.9")
    return Record(spec, (*layers, BASE), on=on, rules=(GuestRule(22, ("0.0.0.0/0",)),))


def test_a_record_is_the_same_after_a_restart(disks: Disks, tmp_path: Path, bases: Path) -> None:
    asyncio.run(disks.make(_record(1), {}))

    assert _loaded(tmp_path, bases).records() == (_record(1),)


def test_a_half_made_disk_is_cleared_at_the_next_start(
    disks: Disks, tmp_path: Path, bases: Path
) -> None:
    left = tmp_path / "state/guests/.new-4/upper"
    left.mkdir(parents=True)

    assert _loaded(tmp_path, bases).records() == ()
    assert not left.exists()
    with pytest.raises(GuestNotFoundError):
        disks.record(4)


def test_a_retired_disk_is_off_the_record_and_its_files_go_later(
    disks: Disks, tmp_path: Path, bases: Path
) -> None:
    asyncio.run(disks.make(_record(1), {}))
    disks.retire(1)

    assert not disks.knows(1)
    assert not disks.folder(1).exists()
    (left,) = disks.retired()

    later = _loaded(tmp_path, bases)
    assert (later.records(), later.retired()) == ((), (left,))
    asyncio.run(later.clear())
    assert later.retired() == ()
    assert not left.exists()


def test_the_seed_lies_where_cloud_init_looks(disks: Disks) -> None:
    record = _record(1)
    asyncio.run(disks.make(record, seed_files(record.spec, Slice(0))))

    seed = disks.folder(1) / "upper/var/lib/cloud/seed/nocloud"

    assert (seed / "user-data").read_text() == "#cloud-config\n"
    assert '"instance-id": "1"' in (seed / "meta-data").read_text()
    assert '"address": "198.18.0.9/22"' in (seed / "network-config").read_text()
    assert (disks.folder(1) / "upper").stat().st_mode & 0o777 == 0o755


def test_a_deleted_image_stays_for_the_disks_that_stand_on_it(disks: Disks) -> None:
    async def story() -> tuple[bool, bool]:
        await disks.make(_record(1), {})
        await disks.snapshot(1, "77")
        await disks.make(_record(2, "image/77"), {})
        disks.delete_image("77")
        await disks.clear()
        stands = disks.is_whole(disks.record(2))
        disks.retire(2)
        await disks.clear()
        return stands, disks.is_whole(_record(3, "image/77"))

    assert asyncio.run(story()) == (True, False)
    with pytest.raises(ImageNotFoundError):
        disks.layers_of("77")


def test_a_snapshot_of_a_snapshot_stands_on_both(disks: Disks) -> None:
    async def story() -> tuple[str, ...]:
        await disks.make(_record(1), {})
        await disks.snapshot(1, "77")
        await disks.make(_record(2, *disks.layers_of("77")[:1]), {})
        await disks.snapshot(2, "78")
        return disks.layers_of("78")

    assert asyncio.run(story()) == ("image/78", "image/77", BASE)


def test_a_disk_whose_image_is_gone_says_so(disks: Disks, bases: Path) -> None:
    asyncio.run(disks.make(_record(1), {}))
    (bases / "0123/root").rmdir()

    assert not disks.is_whole(disks.record(1))
    with pytest.raises(GuestError, match="which is gone: put it back"):
        disks.mount_options(disks.record(1))


def test_paths_that_mount_options_cannot_carry_are_known() -> None:
    assert usable([Path("/home/me/farm")])
    assert not usable([Path("/home/me/farm"), Path("/mnt/a,b")])
    assert not usable([Path("/mnt/a:b")])
