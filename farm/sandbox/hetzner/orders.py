"""Actions carried out: the cloud's orders to its machines, one after another for each server."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from farm.sandbox.faults import ActionFault
from farm.sandbox.guests.base import (
    GuestError,
    GuestKind,
    GuestNotFoundError,
    GuestSpec,
    GuestState,
)
from farm.sandbox.hetzner.books import Books
from farm.sandbox.hetzner.records import (
    EVERYBODY,
    Action,
    ActionError,
    Command,
    Server,
    ServerStatus,
    Target,
)
from farm.sandbox.hetzner.rules import guest_rules

REBOOT_SECONDS = 90.0
POLL_SECONDS = 0.1

log = logging.getLogger(__name__)


class Orders:
    """Begins actions, carries them out in the background, and takes them up after a stop."""

    def __init__(self, books: Books, guests: GuestKind) -> None:
        self.books = books
        self.guests = guests
        self._busy: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def locked(self, server: Server) -> bool:
        """Whether an action is running on the server."""
        return self._busy[server.id] > 0

    def begin(
        self, project: int, command: Command, targets: Iterable[Target], fault: ActionFault | None
    ) -> Action:
        """Put a running action on record; `follow` carries it out."""
        fails = fault is not None and fault.code
        return self.books.actions.put(
            Action(
                id=self.books.next_id(),
                project=project,
                command=command,
                started=self.books.now(),
                targets=tuple(targets),
                doomed=ActionError(fault.code, fault.message) if fault and fails else None,
                delay=fault.delay if fault else 0.0,
            )
        )

    def follow(self, *actions: Action) -> None:
        """Carry these out one after another, without anybody waiting for it."""
        self._busy.update(_servers(actions))
        task = asyncio.create_task(self._chain(actions))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def resume(self) -> None:
        """Take up every action that a stop interrupted; each may be carried out twice."""
        chains: dict[int, list[Action]] = {}
        for action in self.books.actions:
            if action.status == "running":
                chains.setdefault(action.about("server") or action.id, []).append(action)
        for chain in chains.values():
            self.follow(*chain)

    async def close(self) -> None:
        """Leave every action where it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _chain(self, actions: Sequence[Action]) -> None:
        error: ActionError | None = None
        for action in actions:
            error = error or await self._carry_out(action)
            self._finish(action, error)
            self._busy.subtract(_servers([action]))

    async def _carry_out(self, action: Action) -> ActionError | None:
        try:
            await self.books.clock.sleep(action.delay)
            if action.doomed is None:
                await COMMANDS[action.command](self, action)
        except (GuestError, TimeoutError) as problem:
            return ActionError("action_failed", str(problem) or "the server did not react in time")
        except Exception:
            # A machine's own trouble must not take the cloud down with it.
            log.exception("The action %s failed.", action.command)
            return ActionError("server_error", "An internal error occurred.")
        return action.doomed

    def progress(self, action: Action, percent: int) -> None:
        """How far a running action is."""
        kept = self.books.actions.get(action.id) or action
        self.books.actions.put(replace(kept, progress=percent))

    def _finish(self, action: Action, error: ActionError | None) -> None:
        kept = self.books.actions.get(action.id) or action
        status = "error" if error else "success"
        if error and action.command is Command.CREATE_IMAGE:
            _spoil(self, action)
        self.books.actions.put(
            replace(kept, status=status, progress=100, finished=self.books.now(), error=error)
        )

    def mark(self, server_id: int, status: ServerStatus) -> None:
        """The server's status from now on."""
        server = self.books.servers.get(server_id)
        if server is not None:
            self.books.servers.put(replace(server, status=status))

    async def protect(self, server: Server) -> None:
        """Have the machine's network follow the firewalls that are on the books."""
        try:
            await self.guests.firewall(server.id, guest_rules(self.books.firewalls_on(server)))
        except GuestNotFoundError:
            # Its disk is still being made; the firewall is put up before the first boot.
            return


def _servers(actions: Iterable[Action]) -> list[int]:
    """The servers that these actions lock; firewalls change under a running machine."""
    return [
        number
        for action in actions
        if action.command not in FIREWALL_COMMANDS
        for number in (action.about("server"),)
        if number is not None
    ]


def _server(orders: Orders, action: Action) -> Server:
    server = orders.books.server_of(action)
    if server is None:
        raise GuestNotFoundError(f"The action {action.id} is about no server.")
    return server


async def _create(orders: Orders, action: Action) -> None:
    server = _server(orders, action)
    image = orders.books.images.get(server.image)
    if image is not None and image.project == EVERYBODY:
        await orders.guests.image_ready(server.guest_image)
    orders.progress(action, 50)
    await orders.guests.create(_spec(orders.books, server))
    await orders.protect(server)
    orders.mark(server.id, ServerStatus.OFF)


def _spec(books: Books, server: Server) -> GuestSpec:
    ip = books.primary_ips.get(server.ipv4)
    kind = books.catalog.server_type(server.server_type)
    return GuestSpec(
        id=server.id,
        name=server.name,
        image=server.guest_image,
        user_data=server.user_data,
        ipv4=ip.ip if ip else "",
        boot=False,
        memory_mb=(kind.memory if kind else 4) * 1024,
    )


async def _start(orders: Orders, action: Action) -> None:
    server = _server(orders, action)
    orders.mark(server.id, ServerStatus.STARTING)
    await orders.guests.power_on(server.id)
    orders.mark(server.id, ServerStatus.RUNNING)


async def _stop(orders: Orders, action: Action) -> None:
    server = _server(orders, action)
    await orders.guests.power_off(server.id)
    orders.mark(server.id, ServerStatus.OFF)


async def _shutdown(orders: Orders, action: Action) -> None:
    # Success means that the button was pressed, no more: the machine halts by itself or not.
    await orders.guests.shutdown(_server(orders, action).id)


async def _reboot(orders: Orders, action: Action) -> None:
    server = _server(orders, action)
    await orders.guests.shutdown(server.id)
    async with asyncio.timeout(REBOOT_SECONDS):
        while await orders.guests.state(server.id) is GuestState.RUNNING:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)
    await _start(orders, action)


async def _reset(orders: Orders, action: Action) -> None:
    await _stop(orders, action)
    await _start(orders, action)


async def _change_type(orders: Orders, action: Action) -> None:
    # The official description says that the server is started again.
    await _start(orders, action)


async def _rebuild(orders: Orders, action: Action) -> None:
    server = _server(orders, action)
    await orders.guests.destroy(server.id)
    await _create(orders, action)
    await _start(orders, action)


async def _delete(orders: Orders, action: Action) -> None:
    server = _server(orders, action)
    await orders.guests.destroy(server.id)
    orders.books.bury(orders.books.servers.get(server.id) or server)


async def _create_image(orders: Orders, action: Action) -> None:
    image = orders.books.images.get(action.about("image"))
    if image is None:
        return
    size = await orders.guests.snapshot(_server(orders, action).id, image.guest_image)
    kept = orders.books.images.get(image.id) or image
    orders.books.images.put(replace(kept, size_bytes=size))


def _spoil(orders: Orders, action: Action) -> None:
    """A copy that came to nothing is never available."""
    image = orders.books.images.get(action.about("image"))
    if image is not None:
        orders.books.images.put(replace(image, failed=True))


async def _protect_all(orders: Orders, action: Action) -> None:
    for server in orders.books.servers:
        if server.project == action.project and server.deleted is None:
            await orders.protect(server)


FIREWALL_COMMANDS = frozenset(
    {Command.SET_FIREWALL_RULES, Command.APPLY_FIREWALL, Command.REMOVE_FIREWALL}
)
COMMANDS: Mapping[Command, Callable[[Orders, Action], Awaitable[None]]] = {
    Command.CREATE_SERVER: _create,
    Command.START_SERVER: _start,
    Command.STOP_SERVER: _stop,
    Command.SHUTDOWN_SERVER: _shutdown,
    Command.REBOOT_SERVER: _reboot,
    Command.RESET_SERVER: _reset,
    Command.DELETE_SERVER: _delete,
    Command.CREATE_IMAGE: _create_image,
    Command.CHANGE_TYPE: _change_type,
    Command.REBUILD_SERVER: _rebuild,
    Command.SET_FIREWALL_RULES: _protect_all,
    Command.APPLY_FIREWALL: _protect_all,
    Command.REMOVE_FIREWALL: _protect_all,
}
