"""Every sandbox of a machine has addresses of its own, and keeps them."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from farm.sandbox.guests.base import GuestError
from farm.sandbox.guests.real.slices import COUNT, WHOLE, Slice, claim


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return tmp_path / "networks"


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    return folder


def test_slices_cover_the_network_without_overlap() -> None:
    slices = [Slice(number) for number in range(COUNT)]

    assert sum(one.network.num_addresses for one in slices) == WHOLE.num_addresses
    assert len({one.network for one in slices}) == COUNT
    assert all(one.network.subnet_of(WHOLE) for one in slices)
    assert max(len(one.link) for one in slices) <= 15, "the kernel's limit for interface names"


def test_guests_share_no_address_with_gateway_or_machine() -> None:
    here = Slice(37)
    guests = list(here.guests)

    assert len(set(guests)) == 1020
    assert not {here.gateway, here.host} & set(guests)
    assert all(IPv4Address(guest) in here.network for guest in guests)


def test_two_folders_get_two_slices_and_each_keeps_its_own(tmp_path: Path, registry: Path) -> None:
    ada, bob = _folder(tmp_path, "ada"), _folder(tmp_path, "bob")

    first = (claim(registry, ada), claim(registry, bob))

    assert first[0] != first[1]
    assert (claim(registry, ada), claim(registry, bob)) == first


def test_a_removed_folder_frees_its_slice(tmp_path: Path, registry: Path) -> None:
    ada, bob = _folder(tmp_path, "ada"), _folder(tmp_path, "bob")
    freed = claim(registry, ada)
    ada.rename(tmp_path / "moved")

    assert claim(registry, bob) == freed


def test_a_moved_folder_keeps_its_slice_also_when_the_cache_was_emptied(
    tmp_path: Path, registry: Path
) -> None:
    claim(registry, _folder(tmp_path, "ada"))
    bob = _folder(tmp_path, "bob")
    kept = claim(registry, bob)
    moved = bob.rename(tmp_path / "moved")

    assert claim(registry, moved) == kept
    assert claim(tmp_path / "empty", moved) == kept


def test_a_copied_folder_is_refused_with_what_to_do(tmp_path: Path, registry: Path) -> None:
    ada, copy = _folder(tmp_path, "ada"), _folder(tmp_path, "copy")
    claim(registry, ada)
    (copy / "network").write_text((ada / "network").read_text())

    with pytest.raises(GuestError, match="use one of the two folders"):
        claim(registry, copy)


def test_when_all_are_taken_it_says_what_to_do(tmp_path: Path, registry: Path) -> None:
    registry.mkdir()
    for number in range(COUNT):
        (registry / str(number)).write_text(str(tmp_path))

    with pytest.raises(GuestError, match="remove the data folder"):
        claim(registry, _folder(tmp_path, "late"))
