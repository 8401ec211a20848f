"""The real kind of guests: disks on overlayfs, power by systemd-nspawn, one network for all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from farm.sandbox.guests.base import (
    BaseImage,
    GuestError,
    GuestRule,
    GuestSpec,
    GuestState,
    ImageNotFoundError,
)
from farm.sandbox.guests.real import cgroups, recipe
from farm.sandbox.guests.real.baked import BakedDisks
from farm.sandbox.guests.real.disks import Disks, Record
from farm.sandbox.guests.real.image import Image
from farm.sandbox.guests.real.keeper import Keeper
from farm.sandbox.guests.real.metadata import MetadataService
from farm.sandbox.guests.real.network import METADATA_HOSTS, GuestNetwork
from farm.sandbox.guests.real.seed import seed_files
from farm.sandbox.guests.real.slices import REGISTRY, claim
from farm.sandbox.guests.real.switchboard import Switchboard


class RealGuests:
    """See `GuestKind`. `state` keeps this sandbox's disks, `cache` images for every sandbox."""

    def __init__(self, *, state: Path, cache: Path, why: str) -> None:
        self.kind = "real"
        self.why = why
        self.ssh_port = 22
        state.mkdir(parents=True, exist_ok=True)
        self.slice = claim(REGISTRY, state)
        self.service_host = self.slice.gateway
        groups = cgroups.sandbox_groups(self.slice.link)
        self._keeper = Keeper(lock=state / "guests.lock", groups=groups)
        self._network = GuestNetwork(self._keeper, self.slice)
        self._metadata = [MetadataService(cloud, self._guest_at) for cloud in METADATA_HOSTS]
        self._image = Image(cache)
        self._disks = Disks(state, self._image.bases)
        self._baked = BakedDisks(cache)
        self.switchboard = Switchboard(
            keeper=self._keeper, network=self._network, disks=self._disks, groups=groups
        )
        self._building: asyncio.Task[None] | None = None
        self._at_work: set[asyncio.Task[None]] = set()
        self._clearing = asyncio.Lock()
        self._locks: dict[int, asyncio.Lock] = {}
        self._promised: set[str] = set()

    async def start(self) -> None:
        """Also begins to build the image, for which only guests wait whose disks need it."""
        await self._disks.load()
        await self._keeper.start()
        try:
            await self._network.start()
            for service in self._metadata:
                await service.start(self._network.listen(METADATA_HOSTS[service.cloud], 80))
            self._building = asyncio.create_task(self._image.prepare())
            self._begin(self._clear_disks())
            await self._boot_again()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """The switches on record stay as they are, so that `start` boots the same guests."""
        tasks = [*self._at_work, *([self._building] if self._building else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.switchboard.abandon()
        for service in self._metadata:
            await service.close()
        await self._keeper.close()

    def listen(self, port: int = 0) -> socket.socket:
        """GuestError if something listens there already."""
        return self._network.listen(self.service_host, port)

    def images(self) -> tuple[BaseImage, ...]:
        """The one system image."""
        return (BaseImage(recipe.NAME, "Debian 12"),)

    async def image_ready(self, name: str) -> None:
        """A build that failed is tried again by the next who asks."""
        if name != recipe.NAME:
            raise ImageNotFoundError(f"There is no image {name!r} but {recipe.NAME}.")
        if self._building is None or _failed(self._building):
            self._building = asyncio.create_task(self._image.prepare())
        await asyncio.shield(self._building)

    def progress(self) -> str:
        """Empty unless the image is being built."""
        return self._image.progress()

    def next_ipv4(self) -> str:
        """GuestError when the slice is full."""
        taken = self._promised | {record.spec.ipv4 for record in self._disks.records()}
        free = next((ipv4 for ipv4 in self.slice.guests if ipv4 not in taken), None)
        if free is None:
            raise GuestError("Every address of the guests' network is taken: delete a server.")
        self._promised.add(free)
        return free

    async def create(self, spec: GuestSpec) -> None:
        """Waits for the image if it is still being built."""
        layers = await self._layers(spec.image)
        async with self._alone(spec.id):
            if self._disks.knows(spec.id):
                return
            seed = seed_files(spec, self.slice)
            await self._disks.make(Record(spec, layers, on=spec.boot), seed)
            self._promised.discard(spec.ipv4)
            if spec.boot:
                await self._switch_on(spec.id)

    async def state(self, guest_id: int) -> GuestState:
        """As its container shows it."""
        self._disks.record(guest_id)
        return GuestState.RUNNING if self.switchboard.is_on(guest_id) else GuestState.OFF

    async def power_on(self, guest_id: int) -> None:
        """Boot from the disk."""
        async with self._alone(guest_id):
            await self._switch_on(guest_id)

    async def power_off(self, guest_id: int) -> None:
        """Pull the plug."""
        async with self._alone(guest_id):
            await self.switchboard.switch_off(guest_id)

    async def shutdown(self, guest_id: int) -> None:
        """Press the power button."""
        self._disks.record(guest_id)
        await self.switchboard.press_button(guest_id)

    async def destroy(self, guest_id: int) -> None:
        """Pull the plug; the disk goes at once, what it takes of this machine's a while later."""
        async with self._alone(guest_id):
            if self._disks.knows(guest_id):
                await self.switchboard.scrap(guest_id)
                self._disks.retire(guest_id)
                self._begin(self._clear_disks())

    async def snapshot(self, guest_id: int, image_id: str) -> int:
        """A running guest is held still meanwhile: its image is as after a power cut."""
        async with self._alone(guest_id):
            self._disks.record(guest_id)
            async with self.switchboard.held_still(guest_id):
                size = await self._disks.snapshot(guest_id, image_id)
            if not self.switchboard.is_on(guest_id):
                await self._baked.keep(self._disks, guest_id, image_id)
            return size

    async def delete_image(self, image_id: str) -> None:
        """Disks made from it keep working."""
        self._disks.delete_image(image_id)
        self._begin(self._clear_disks())

    async def firewall(self, guest_id: int, rules: Sequence[GuestRule] | None) -> None:
        """Holds at once, and again after every start."""
        async with self._alone(guest_id):
            kept = None if rules is None else tuple(rules)
            self._disks.keep(replace(self._disks.record(guest_id), rules=kept))
            if self.switchboard.is_on(guest_id):
                await self._network.admit(f"g{guest_id}", kept)

    async def _switch_on(self, guest_id: int) -> None:
        """A disk that only would be baked as one was before has halted when it is there."""
        if not await self._baked.put_below(self._disks, guest_id):
            await self.switchboard.switch_on(guest_id)

    async def _boot_again(self) -> None:
        """Waits for guests whose disks are whole; the others come when the image is there."""
        were_on = [record for record in self._disks.records() if record.on]
        whole = [record for record in were_on if self._disks.is_whole(record)]
        late = [record for record in were_on if record not in whole]
        for record in late:
            self._begin(self._return_late(record))
        await asyncio.gather(*(self._return(record) for record in whole))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        """Let it go on for as long as the power is on."""
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _clear_disks(self) -> None:
        """What could not be removed is tried again with the next disk, or at the next start."""
        async with self._clearing:
            for gone in self._disks.retired():
                await self.switchboard.unmount(gone / "root")
            with suppress(GuestError):
                await self._disks.clear()

    async def _return(self, record: Record) -> None:
        """A guest that cannot boot again stays off: the next `power_on` tells why."""
        with suppress(GuestError):
            await self.power_on(record.spec.id)

    async def _return_late(self, record: Record) -> None:
        with suppress(GuestError):
            await self.image_ready(recipe.NAME)
        await self._return(record)

    def _guest_at(self, ipv4: str) -> GuestSpec | None:
        specs = (record.spec for record in self._disks.records())
        return next((spec for spec in specs if spec.ipv4 == ipv4), None)

    async def _layers(self, image: str) -> tuple[str, ...]:
        if image != recipe.NAME:
            return self._disks.layers_of(image)
        await self.image_ready(image)
        return (self._image.layer,)

    @asynccontextmanager
    async def _alone(self, guest_id: int) -> AsyncIterator[None]:
        """One order after the other for each guest."""
        async with self._locks.setdefault(guest_id, asyncio.Lock()):
            yield


def _failed(task: asyncio.Task[None]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
