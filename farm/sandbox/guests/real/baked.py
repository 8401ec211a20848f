"""Keeps what baking made of a disk, so that no sandbox of this machine bakes the same twice."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from farm.sandbox.guests.base import GuestError
from farm.sandbox.guests.real.command import duplicate, remove
from farm.sandbox.guests.real.disks import Disks, Record

KEPT = 3
"""One holds a gigabyte; an older one is of a runtime that nobody bakes any more."""


class BakedDisks:
    """Layers in `cache`/baked/<key>, each what a machine had written when it halted.

    Only of machines that forgot who they are before they halted, as machine-id(5) asks of whoever
    makes an image: what such a disk holds comes from its layers and its user-data alone, which are
    the key, and is nobody's secret.
    """

    def __init__(self, cache: Path) -> None:
        self._folder = cache / "baked"

    async def put_below(self, disks: Disks, guest_id: int) -> bool:
        """Spare a fresh disk its first boot, if it is known how that ends; answers whether."""
        record = disks.record(guest_id)
        kept = self._folder / _key(record)
        if not (kept.is_dir() and disks.is_fresh(guest_id)):
            return False
        with suppress(FileNotFoundError):
            os.utime(kept)
        try:
            await disks.put_below(guest_id, kept)
        except GuestError:  # a sandbox that keeps another one made room meanwhile
            return False
        return True

    async def keep(self, disks: Disks, guest_id: int, image_id: str) -> None:
        """Remember what was snapshot as `image_id`, if its machine had forgotten itself."""
        kept = self._folder / _key(disks.record(guest_id))
        if kept.exists() or not disks.forgot_itself(guest_id):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._alone() as alone:
            if alone:
                await self._keep(kept, disks.layer_of(image_id))
                await self._make_room()

    async def _keep(self, kept: Path, layer: Path) -> None:
        """In a draft folder that becomes the whole in one step."""
        draft = Path(tempfile.mkdtemp(prefix=".", dir=self._folder)) / "layer"
        await duplicate(layer, draft)
        draft.rename(kept)

    async def _make_room(self) -> None:
        """Disks that were made from one that goes have their own links to it."""
        kept = sorted(self._folder.glob("[!.]*/"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-KEPT]:
            old.rename(Path(tempfile.mkdtemp(prefix=".", dir=self._folder)) / "layer")
        for left in self._folder.glob(".*/"):
            await remove(left)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whoever comes second has nothing to add."""
        with (self._folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


def _key(record: Record) -> str:
    made_of = json.dumps([record.layers, record.spec.user_data])
    return hashlib.sha256(made_of.encode()).hexdigest()[:16]
