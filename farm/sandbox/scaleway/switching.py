"""Actions carried out: a server's way between its states, with the machine behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime

from farm.sandbox.faults import ActionFault
from farm.sandbox.guests.base import (
    CloudName,
    GuestError,
    GuestKind,
    GuestNotFoundError,
    GuestRule,
    GuestSpec,
    GuestState,
    Nameplate,
)
from farm.sandbox.scaleway.books import Books
from farm.sandbox.scaleway.records import Group, Order, Server, Span, State

HALT_SECONDS = 60.0
DETACH_SECONDS = 0.3
POLL_SECONDS = 0.1
BEGINNING = {
    Order.POWERON: State.STARTING,
    Order.REBOOT: State.STARTING,
    Order.POWEROFF: State.STOPPING,
    Order.STOP_IN_PLACE: State.STOPPING,
    Order.TERMINATE: State.STOPPING,
}

log = logging.getLogger(__name__)


class Switching:
    """Begins actions, carries them out in the background, and takes them up after a stop."""

    def __init__(self, books: Books, guests: GuestKind) -> None:
        self.books = books
        self.guests = guests
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, server: Server, order: Order, fault: ActionFault | None = None) -> Server:
        """Put the action on record and have it carried out."""
        detail = "allocating node" if order is Order.POWERON else ""
        begun = self.put(server, state=BEGINNING[order], order=order.value, detail=detail)
        self._follow(begun, fault)
        return begun

    def resume(self) -> None:
        """Take up every action that a stop interrupted; each may be carried out twice."""
        for server in self.books.servers:
            if server.order and server.deleted is None:
                self._follow(server, None)
        for volume in self.books.volumes:
            if volume.detaching and volume.deleted is None:
                self.spawn(self._free(volume.id))

    async def close(self) -> None:
        """Leave every action where it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def put(self, server: Server, *, state: State, order: str, detail: str = "") -> Server:
        """The server's state from now on."""
        kept = self.books.servers.get(server.id) or server
        now = self.books.now()
        changed = replace(kept, state=state, order=order, detail=detail, modified=now)
        return self.books.servers.put(changed)

    def remove(self, server: Server) -> None:
        """The server is gone: its volumes come free in a moment, its addresses stay."""
        now, books = self.books.now(), self.books
        kept = books.servers.get(server.id) or server
        books.servers.put(replace(kept, deleted=now, order="", spans=closed(kept, now)))
        for ip in books.ips_of(server):
            books.ips.put(replace(ip, server=None))
        for volume in books.volumes_of(server):
            books.volumes.put(replace(volume, detaching=True, updated=now))
            self.spawn(self._free(volume.id))

    async def protect(self, group: Group) -> None:
        """Have the network of every machine in the group follow its rules."""
        for server in self.books.servers:
            if server.group == group.uid and server.made and server.deleted is None:
                await self.guests.firewall(server.id, guest_rules(group))

    def _follow(self, server: Server, fault: ActionFault | None) -> None:
        self.spawn(self._carry_out(server, Order(server.order), fault))

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Have it done without anybody waiting for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _free(self, number: int) -> None:
        await self.books.clock.sleep(DETACH_SECONDS)
        volume, now = self.books.volumes.get(number), self.books.now()
        if volume and volume.detaching:
            free = replace(volume, detaching=False, server=None, detached=now, updated=now)
            self.books.volumes.put(free)

    async def _carry_out(self, server: Server, order: Order, fault: ActionFault | None) -> None:
        before = State.STOPPED if order is Order.POWERON else State.RUNNING
        try:
            await self.books.clock.sleep(fault.delay if fault else 0)
            if fault and fault.code:
                self.put(server, state=before, order="", detail=fault.message or fault.code)
            else:
                await ORDERS[order](self, server)
        except (GuestError, TimeoutError) as problem:
            self.put(server, state=before, order="", detail=str(problem))
        except Exception:
            # A machine's own trouble must not take the cloud down with it.
            log.exception("The action %s of %s failed.", order, server.name)
            self.put(server, state=before, order="")

    async def make(self, server: Server) -> None:
        """Its disk, from the image, with the user-data that is set by now."""
        kept = self.books.servers.get(server.id) or server
        if kept.made:
            return
        if any(image.guest_image == server.guest_image for image in self.books.catalog.images):
            await self.guests.image_ready(server.guest_image)
        await self.guests.create(_spec(self.books, kept))
        self.books.servers.put(replace(self.books.servers.get(server.id) or kept, made=True))

    def count(self, server: Server, *, on: bool) -> None:
        """From now on its compute is, or is not, charged for."""
        kept, now = self.books.servers.get(server.id) or server, self.books.now()
        running = bool(kept.spans) and kept.spans[-1].until is None
        if on and not running:
            self.books.servers.put(replace(kept, spans=(*kept.spans, Span(now, rate=kept.rate))))
        if not on:
            self.books.servers.put(replace(kept, spans=closed(kept, now)))


def closed(server: Server, now: datetime) -> tuple[Span, ...]:
    """Its spans with the last one ended."""
    return tuple(span if span.until else replace(span, until=now) for span in server.spans)


def guest_rules(group: Group) -> tuple[GuestRule, ...] | None:
    """Who may reach which TCP port of a machine in the group; None where everybody may."""
    if group.inbound == "accept":
        return None
    return tuple(
        GuestRule(port=port, sources=(rule.ip_range,))
        for rule in group.rules
        if (rule.direction, rule.action) == ("inbound", "accept") and rule.protocol == "TCP"
        for port in range(rule.port_from or 0, (rule.port_to or rule.port_from or 0) + 1)
    )


def _spec(books: Books, server: Server) -> GuestSpec:
    kind = books.catalog.server_type(server.commercial_type, server.zone)
    addresses = books.ips_of(server)
    return GuestSpec(
        id=server.id,
        name=server.name,
        image=server.guest_image,
        user_data=server.user_data.get("cloud-init", ""),
        ipv4=addresses[0].address if addresses else "",
        boot=False,
        memory_mb=(kind.memory if kind else 4) * 1024,
        plate=Nameplate(
            cloud=CloudName.SCALEWAY,
            uid=server.uid,
            server_type=server.commercial_type,
            zone=server.zone,
            tags=server.tags,
        ),
    )


async def _power_on(switching: Switching, server: Server) -> None:
    switching.count(server, on=True)
    await switching.make(server)
    group = next(g for g in switching.books.groups if g.uid == server.group)
    await switching.guests.firewall(server.id, guest_rules(group))
    await switching.guests.power_on(server.id)
    switching.put(server, state=State.RUNNING, order="", detail="booting kernel")


async def _halt(switching: Switching, server: Server) -> None:
    """The button is pressed; a machine that does not halt by itself loses its power."""
    try:
        await switching.guests.shutdown(server.id)
        async with asyncio.timeout(HALT_SECONDS):
            while await switching.guests.state(server.id) is GuestState.RUNNING:  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)
    except (TimeoutError, GuestNotFoundError):
        await _unplug(switching, server)


async def _unplug(switching: Switching, server: Server) -> None:
    try:
        await switching.guests.power_off(server.id)
    except GuestNotFoundError:
        return


async def _power_off(switching: Switching, server: Server) -> None:
    await _halt(switching, server)
    switching.count(server, on=False)
    switching.put(server, state=State.STOPPED, order="")


async def _stop_in_place(switching: Switching, server: Server) -> None:
    await _halt(switching, server)
    switching.put(server, state=State.STANDBY, order="")


async def _reboot(switching: Switching, server: Server) -> None:
    await _halt(switching, server)
    await _power_on(switching, server)


async def _terminate(switching: Switching, server: Server) -> None:
    await switching.guests.destroy(server.id)
    switching.remove(server)


ORDERS: Mapping[Order, Callable[[Switching, Server], Awaitable[None]]] = {
    Order.POWERON: _power_on,
    Order.POWEROFF: _power_off,
    Order.STOP_IN_PLACE: _stop_in_place,
    Order.REBOOT: _reboot,
    Order.TERMINATE: _terminate,
}
