"""What was baked once is not baked again, by any sandbox; and nobody's disk is kept for that."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from farm.sandbox.guests.base import GuestSpec
from farm.sandbox.guests.real.baked import KEPT, BakedDisks
from farm.sandbox.guests.real.disks import Disks, Record
from farm.sandbox.guests.real.seed import seed_files
from farm.sandbox.guests.real.slices import Slice

BASE = "base/0123"
BAKE = "#cloud-config\nruncmd: [bake]\n"


def _sandbox(tmp_path: Path, name: str) -> Disks:
    (tmp_path / "bases/0123/root").mkdir(parents=True, exist_ok=True)
    disks = Disks(tmp_path / name, tmp_path / "bases")
    asyncio.run(disks.load())
    return disks


@pytest.fixture
def baked(tmp_path: Path) -> BakedDisks:
    return BakedDisks(tmp_path / "cache")


@pytest.fixture
def first(tmp_path: Path) -> Disks:
    return _sandbox(tmp_path, "first")


@pytest.fixture
def second(tmp_path: Path) -> Disks:
    return _sandbox(tmp_path, "second")


def _make(disks: Disks, guest_id: int, user_data: str = BAKE, *layers: str) -> None:
    spec = GuestSpec(guest_id, f"guest-{guest_id}", "debian-12", user_data, "198.18.0.9")
    record = Record(spec, (*layers, BASE), on=True)
    asyncio.run(disks.make(record, seed_files(spec, Slice(0))))


def _write(disks: Disks, guest_id: int, path: str, text: str) -> None:
    file = disks.folder(guest_id) / "upper" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def _bake(disks: Disks, baked: BakedDisks, user_data: str = BAKE, *, machine_id: str = "") -> None:
    """A guest that did what it was told, halted, and was snapshot as "it"."""
    _make(disks, 1, user_data)
    _write(disks, 1, "etc/machine-id", machine_id)
    _write(disks, 1, "opt/runtime", "baked")
    asyncio.run(disks.snapshot(1, "it"))
    asyncio.run(baked.keep(disks, 1, "it"))


def _spared(disks: Disks, baked: BakedDisks, guest_id: int) -> bool:
    return asyncio.run(baked.put_below(disks, guest_id))


def test_the_next_sandbox_has_the_same_disk_at_once(
    first: Disks, second: Disks, baked: BakedDisks
) -> None:
    _bake(first, baked)
    _make(second, 7)

    assert _spared(second, baked, 7)

    record = second.record(7)
    assert not record.on
    assert second.is_whole(record)
    below = second.mount_options(record).partition("lowerdir=")[2].split(":")[0]
    assert (Path(below) / "opt/runtime").read_text() == "baked"


def test_it_is_there_for_as_long_as_a_disk_or_an_image_stands_on_it(
    first: Disks, second: Disks, baked: BakedDisks
) -> None:
    _bake(first, baked)
    _make(second, 7)
    _spared(second, baked, 7)
    asyncio.run(second.snapshot(7, "again"))
    second.retire(7)

    asyncio.run(second.clear())
    _make(second, 8, "#cloud-config\n", *second.layers_of("again")[:-1])
    assert second.is_whole(second.record(8))

    second.delete_image("again")
    second.retire(8)
    asyncio.run(second.clear())
    assert not list((second.folder(1).parents[1] / "images").iterdir())


def test_other_words_are_other_disks(first: Disks, second: Disks, baked: BakedDisks) -> None:
    _bake(first, baked)
    _make(second, 7, f"{BAKE}# and more\n")

    assert not _spared(second, baked, 7)


def test_a_disk_that_has_been_written_to_is_left_alone(
    first: Disks, second: Disks, baked: BakedDisks
) -> None:
    _bake(first, baked)
    _make(second, 7)
    _write(second, 7, "etc/machine-id", "0123456789\n")

    assert not _spared(second, baked, 7)


def test_a_machine_that_knows_who_it_is_is_not_kept(
    tmp_path: Path, first: Disks, second: Disks, baked: BakedDisks
) -> None:
    _bake(first, baked, machine_id="0123456789\n")
    _make(second, 7)

    assert not _spared(second, baked, 7)
    assert not (tmp_path / "cache").exists()


def test_neither_is_one_that_never_booted(first: Disks, second: Disks, baked: BakedDisks) -> None:
    _make(first, 1)
    asyncio.run(first.snapshot(1, "it"))
    asyncio.run(baked.keep(first, 1, "it"))
    _make(second, 7)

    assert not _spared(second, baked, 7)


def test_what_a_killed_sandbox_left_is_no_image_and_goes(
    tmp_path: Path, first: Disks, second: Disks, baked: BakedDisks
) -> None:
    (tmp_path / "cache/baked/.half/layer").mkdir(parents=True)
    _make(second, 7)
    assert not _spared(second, baked, 7)

    _bake(first, baked)

    (kept,) = (tmp_path / "cache/baked").glob("*/")
    assert not kept.name.startswith(".")


def test_the_ones_longest_unused_make_room(
    tmp_path: Path, first: Disks, second: Disks, baked: BakedDisks
) -> None:
    texts = [f"{BAKE}# {number}\n" for number in range(KEPT + 1)]
    for age, text in enumerate(texts[:-1]):
        _bake(first, baked, text)
        first.retire(1)
        for path in (tmp_path / "cache/baked").glob("*/"):
            os.utime(path, (age + 1, path.stat().st_mtime - 1000))
    _make(second, 7, texts[0])
    assert _spared(second, baked, 7)

    _bake(first, baked, texts[-1])

    assert second.is_whole(second.record(7))
    for guest_id, text in enumerate(texts, start=10):
        _make(second, guest_id, text)
    assert [_spared(second, baked, 10 + number) for number in range(KEPT + 1)] == [
        *(True, False),
        *[True] * (KEPT - 1),
    ]
