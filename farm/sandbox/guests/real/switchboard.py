"""Switches guests on and off, and notices when one halts or restarts by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from farm.sandbox.guests.base import GuestError, GuestNotFoundError
from farm.sandbox.guests.real import cgroups
from farm.sandbox.guests.real.disks import Disks, Record
from farm.sandbox.guests.real.keeper import Keeper
from farm.sandbox.guests.real.network import GuestNetwork
from farm.sandbox.guests.real.power import REBOOT, PoweredGuest, Slot

OWN_DATABASES = 'find "$1" -xdev -type f -name "*.sqlite*" -exec touch -c -r {} {} ";"'
"""A file from a layer below is another one from its first write on: its number and its birth
change under a program that has it open. The disk of a machine from a copy does no such thing."""


class Switchboard:
    """The power of every guest of a sandbox. Whoever calls sees to one order at a time per guest.

    A guest's record says how its switch stands; it is the same after a restart of the sandbox.
    """

    def __init__(
        self, *, keeper: Keeper, network: GuestNetwork, disks: Disks, groups: tuple[Path, ...]
    ) -> None:
        self._keeper = keeper
        self._network = network
        self._disks = disks
        self._groups = groups
        self._powered: dict[int, PoweredGuest] = {}
        self._watches: dict[int, asyncio.Task[None]] = {}
        self._scrapped: set[int] = set()

    def is_on(self, guest_id: int) -> bool:
        """Also while it restarts."""
        return guest_id in self._powered

    def powered(self, guest_id: int) -> PoweredGuest:
        """GuestNotFoundError if its power is off."""
        try:
            return self._powered[guest_id]
        except KeyError:
            raise GuestNotFoundError(f"Guest {guest_id} is off.") from None

    async def switch_on(self, guest_id: int) -> None:
        """Boot it unless it runs; GuestError, and its switch off again, when it cannot boot."""
        await self._settled(guest_id)
        if guest_id not in self._powered:
            await self._boot(self._keep_switch(guest_id, on=True))

    async def switch_off(self, guest_id: int) -> None:
        """Its watch clears up after it, as after a guest that halted."""
        self._keep_switch(guest_id, on=False)
        while powered := self._powered.get(guest_id):
            await powered.pull_plug()
            await self._settled(guest_id)

    async def scrap(self, guest_id: int) -> None:
        """Off for good, its disk left mounted: to unmount it, the kernel first writes it down."""
        self._scrapped.add(guest_id)
        try:
            await self.switch_off(guest_id)
        finally:
            self._scrapped.discard(guest_id)

    async def unmount(self, root: Path) -> None:
        """Content if it is not mounted."""
        with suppress(GuestError):
            await self._keeper.run("umount", str(root))

    async def press_button(self, guest_id: int) -> None:
        """Ask for an orderly halt; content if it is off."""
        if powered := self._powered.get(guest_id):
            await powered.press_button()

    @asynccontextmanager
    async def held_still(self, guest_id: int) -> AsyncIterator[None]:
        """Nothing in the guest moves meanwhile; content if it is off."""
        async with AsyncExitStack() as stack:
            if powered := self._powered.get(guest_id):
                await stack.enter_async_context(powered.held_still())
            yield

    async def abandon(self) -> None:
        """Stop watching, before the power cut: switches stay on record as they are."""
        watches = list(self._watches.values())
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        self._watches.clear()
        self._powered.clear()

    async def _boot(self, record: Record) -> None:
        guest_id = record.spec.id
        slot = self._slot(record)
        try:
            await self._mount(record)
            await self._network.plug(slot.link, record.spec.ipv4, record.rules)
            self._powered[guest_id] = await PoweredGuest.boot(self._keeper, record.spec, slot)
        except GuestError:
            await self._clear(slot)
            self._powered.pop(guest_id, None)
            self._keep_switch(guest_id, on=False)
            raise
        self._watches[guest_id] = asyncio.create_task(self._watch(guest_id, slot))

    async def _watch(self, guest_id: int, slot: Slot) -> None:
        ended = await self._powered[guest_id].ended()
        await self._clear(slot, unmount=guest_id not in self._scrapped)
        if ended == REBOOT and self._disks.record(guest_id).on:
            with suppress(GuestError):
                await self._boot(self._disks.record(guest_id))
        else:
            del self._powered[guest_id]
            self._keep_switch(guest_id, on=False)

    async def _settled(self, guest_id: int) -> None:
        """Wait until a guest that ended is cleared up after, or has started again."""
        powered = self._powered.get(guest_id)
        if powered and not powered.on:
            await asyncio.shield(self._watches[guest_id])

    def _slot(self, record: Record) -> Slot:
        folder, link = self._disks.folder(record.spec.id), f"g{record.spec.id}"
        groups = tuple(
            cgroups.make_group(parent, link, memory_mb=record.spec.memory_mb)
            for parent in self._groups
        )
        return Slot(link, folder / "root", groups, folder / "console.log")

    async def _mount(self, record: Record) -> None:
        options, root = self._disks.mount_options(record), self._disks.folder(record.spec.id)
        await self._keeper.run(
            *("mount", "-t", "overlay", "overlay", "-o", options), str(root / "root")
        )
        if any(layer.startswith("image/") for layer in record.layers):
            await self._keeper.run("sh", "-c", OWN_DATABASES, "sh", str(root / "root" / "var"))

    async def _clear(self, slot: Slot, *, unmount: bool = True) -> None:
        """Undo what was done to boot, as far as it came."""
        await self._network.unplug(slot.link)
        if unmount:
            await self.unmount(slot.root)
        for group in slot.groups:
            await cgroups.remove_group(group)

    def _keep_switch(self, guest_id: int, *, on: bool) -> Record:
        record = replace(self._disks.record(guest_id), on=on)
        self._disks.keep(record)
        return record
