"""One Hetzner Cloud: its books, its machines, and the orders between them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from farm.sandbox.addresses import Addresses
from farm.sandbox.clock import Clock
from farm.sandbox.faults import Gate
from farm.sandbox.guests.base import (
    BaseImage,
    GuestError,
    GuestKind,
    GuestNotFoundError,
    GuestState,
)
from farm.sandbox.hetzner.books import Books
from farm.sandbox.hetzner.catalog import Catalog, SystemImage, load_catalog
from farm.sandbox.hetzner.limits import Budget
from farm.sandbox.hetzner.orders import Orders
from farm.sandbox.hetzner.records import EVERYBODY, Image, Project, Server, ServerStatus

FIRST_PROJECT = "farm"


class HetznerCloud:
    """The cloud that `hetzner_application` serves. Start the guests first, then the cloud.

    `folder` keeps its books; `addresses` are shared with other clouds; `token` is the first
    project's, made up at the first start if None.
    """

    def __init__(
        self,
        *,
        folder: Path,
        guests: GuestKind,
        clock: Clock,
        gate: Gate,
        addresses: Addresses | None = None,
        token: str | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        self.guests = guests
        self.addresses = addresses or Addresses(guests)
        self.clock = clock
        self.gate = gate
        self.books = Books(folder, clock=clock, catalog=catalog or load_catalog())
        self.addresses.respect(self._kept_addresses)
        self.orders = Orders(self.books, guests)
        self._budgets: dict[int, Budget] = {}
        self._ready: set[str] = set()
        self._waiting: dict[str, asyncio.Task[None]] = {}
        gate.vanishers["hetzner"] = self.vanish
        if next(iter(self.books.projects), None) is None:
            self.books.create_project(FIRST_PROJECT, token=token)

    @property
    def token(self) -> str:
        """The token of the first project."""
        return next(iter(self.books.projects)).token

    async def start(self) -> None:
        """Take up what a stop interrupted."""
        self.take_in_images()
        self.orders.resume()

    async def close(self) -> None:
        """Leave everything as it is; the guests are closed by whoever started them."""
        for task in self._waiting.values():
            task.cancel()
        await asyncio.gather(*self._waiting.values(), return_exceptions=True)
        await self.orders.close()
        self.books.close()

    def _kept_addresses(self) -> list[str]:
        """Also those that a project keeps after its server is gone."""
        return [ip.ip for ip in self.books.primary_ips if ip.deleted is None]

    def budget(self, project: Project) -> Budget:
        """The request budget that all tokens of a project share."""
        return self._budgets.setdefault(project.id, Budget(self.clock.now()))

    async def observe(self, server: Server) -> Server:
        """The server with the status that its machine shows now, unless an action changes it."""
        switched = server.status in (ServerStatus.RUNNING, ServerStatus.OFF, ServerStatus.UNKNOWN)
        if not switched or self.orders.locked(server):
            return server
        try:
            state = await self.guests.state(server.id)
        except GuestNotFoundError:
            seen = ServerStatus.UNKNOWN
        else:
            seen = ServerStatus.RUNNING if state is GuestState.RUNNING else ServerStatus.OFF
        kept = self.books.servers.get(server.id) or server
        if kept.status is seen or kept.status is not server.status:
            return kept
        return self.books.servers.put(replace(kept, status=seen))

    async def vanish(self, word: str) -> None:
        """The first server with `word` in its name is gone, as if deleted in the console."""
        for server in self.books.servers:
            if server.deleted is None and word in server.name:
                await self.guests.destroy(server.id)
                self.books.bury(server)
                return

    def available(self, image: Image) -> bool:
        """Whether a machine can be made from it now; system images always look as if."""
        if image.project == EVERYBODY:
            return image.type == "system" or image.guest_image in self._ready
        return image.size_bytes is not None

    def take_in_images(self) -> None:
        """Put on the books what the guests can boot now, and take off what they no longer can."""
        offered = {image.name: image for image in self.guests.images()}
        for known in self.books.images:
            if known.project == EVERYBODY:
                self._refresh(known, offered.pop(known.guest_image, None))
        for image in offered.values():
            self.books.images.put(self._new_image(image))
        for image in self.guests.images():
            if image.name not in self._waiting:
                self._waiting[image.name] = asyncio.create_task(self._await_image(image.name))

    def _refresh(self, known: Image, offered: BaseImage | None) -> None:
        if offered is None and known.deleted is None:
            self.books.images.put(replace(known, deleted=self.books.now()))
        elif offered and (known.deleted or known.labels != offered.labels):
            self.books.images.put(replace(known, labels=dict(offered.labels), deleted=None))

    def _new_image(self, offered: BaseImage) -> Image:
        listed = next((i for i in self.books.catalog.images if i.name == offered.name), None)
        system = listed or SystemImage(0, offered.name, offered.description, "unknown", "", 5)
        return Image(
            id=system.id if listed and not offered.labels else self.books.next_id(),
            project=EVERYBODY,
            type="snapshot" if offered.labels else "system",
            name=None if offered.labels else offered.name,
            created=self.books.now(),
            description=offered.description,
            labels=dict(offered.labels),
            guest_image=offered.name,
            disk_gb=system.disk_gb,
            architecture="x86",
            os_flavor=system.os_flavor,
            os_version=system.os_version,
            rate_gb_month="0",
            size_bytes=offered.size_bytes or None,
        )

    async def _await_image(self, name: str) -> None:
        try:
            await self.guests.image_ready(name)
        except GuestError:
            # The next look asks again: whoever mended the build finds it usable.
            del self._waiting[name]
            return
        self._ready.add(name)
