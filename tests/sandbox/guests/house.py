"""Guests of either kind without a cloud before them, beside a model and a Bot API they reach."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from aiohttp import web

from farm.sandbox.callers import host_addresses
from farm.sandbox.clock import Clock
from farm.sandbox.faults import Gate
from farm.sandbox.guests.base import GuestKind, GuestSpec, GuestState, Nameplate
from farm.sandbox.guests.real import RealGuests
from farm.sandbox.guests.simulated import SimulatedGuests
from farm.sandbox.model.keys import Keyring
from farm.sandbox.model.service import Model
from farm.sandbox.serving import serving
from farm.sandbox.slack.service import Slack
from farm.sandbox.slack.sockets import Sockets
from farm.sandbox.slack.workspace import Workspace
from farm.sandbox.telegram.chats import Chats
from farm.sandbox.telegram.service import Telegram
from provisioning import cloudinit, runtime, ssh
from provisioning.certificates import Authority, new_private_key
from provisioning.errors import ProvisioningError, Transient
from provisioning.remotefiles import RemoteFile

T = TypeVar("T")
PATIENCE = {"simulated": 30.0, "real": 900.0}
"""Seconds; simulated guests were ready within 1, real ones within 170 from the vanilla image.

Baking an image with the chat apps' software took 250 on a quiet machine, 600 on a busy one.
"""
CACHE = Path(os.environ.get("FARM_CACHE") or Path.home() / ".cache/agent-farm")
VERSIONS = cloudinit.Versions(node="24.19.0", runtime="2026.9.6")
MODEL_KEY = "sk-of-the-farm"
GATEWAY_TOKEN = "a-gateway-token-of-many-letters"
HETZNERS = Nameplate()


@dataclass(frozen=True, slots=True)
class Papers:
    """What the farm keeps of one machine: who it is and which host key it shows."""

    principal: str
    host_key_private: str
    host_key_public: str


def new_papers() -> Papers:
    """Papers for a machine that is yet to be made."""
    private, public = new_private_key()
    return Papers(f"server-{next(_numbers)}", private, public)


_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Machine:
    """A guest with the papers that open it."""

    id: int
    ipv4: str
    port: int
    papers: Papers
    house: House

    @property
    def target(self) -> ssh.Target:
        """How the farm reaches it."""
        papers = self.papers
        return ssh.Target(self.ipv4, self.port, papers.principal, (papers.host_key_public,))

    @contextmanager
    def shell(self, authority: Authority | None = None) -> Iterator[ssh.Shell]:
        """One connection, made now or not at all."""
        trusted = authority or self.house.authority
        with ssh.connect(self.target, trusted, datetime.now(UTC)) as shell:
            yield shell

    def reached(self) -> None:
        """Wait until the farm can log in."""
        self.house.wait_until(self._answers, f"{self.ipv4} lets nobody in")

    def _answers(self) -> bool:
        try:
            with self.shell():
                return True
        except Transient:
            return False

    def refusal(self) -> ProvisioningError:
        """Why the farm cannot log in, once the machine answers at all."""
        while True:
            try:
                with self.shell():
                    raise AssertionError("The machine let the farm in.")
            except ProvisioningError as error:
                if error.code != "unreachable":
                    return error
            self.house.pause()

    def installed(self) -> runtime.Installation:
        """How the machine's own set-up ended."""
        self.reached()
        found: list[runtime.Installation] = []

        def ended() -> bool:
            # cloud-init starts sshd anew when it has written how sshd is to be.
            with suppress(Transient), self.shell() as shell:
                found.append(runtime.installed(shell))
            return bool(found) and found[-1].state is not runtime.InstallationState.INSTALLING

        self.house.wait_until(ended, "The machine's set-up never ends.")
        return found[-1]


class House:
    """One kind of guests with an event loop of its own, so that plain code can use it."""

    def __init__(self, kind: str, state: Path) -> None:
        self.kind = kind
        self.authority = Authority.from_openssh([new_private_key()[0]])
        self._state = state
        self._deadline = monotonic()
        self._ids = count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._services = AsyncExitStack()
        self.gate = Gate()
        self.guests = self._new_guests()
        self.wait(self._open())

    def _new_guests(self) -> GuestKind:
        folder = self._state / "guests"
        if self.kind == "real":
            return RealGuests(state=folder, cache=CACHE, why="a test asked for them")
        return SimulatedGuests(state=folder, clock=Clock(), gate=self.gate)

    async def _open(self) -> None:
        await self.guests.start()
        await self.guests.image_ready("debian-12")
        hosts = host_addresses(self.guests.service_host)
        self.model = Model(Keyring(MODEL_KEY), Clock(), Gate(), hosts)
        self.chats = Chats(self._state / "telegram.sqlite3", Clock())
        self.telegram = Telegram(self.chats, Gate(), hosts)
        phones = web.Application()
        self.telegram.add_routes(phones)
        self.model_url = f"{await self._serve(self.model.application())}/v1"
        self.telegram_url = await self._serve(phones)
        self.slack_url = await self._open_slack(hosts)

    async def _open_slack(self, hosts: frozenset[str]) -> str:
        listening = self.guests.listen()
        host, port = listening.getsockname()[:2]
        self.workspace = Workspace(self._state / "slack.sqlite3", Clock())
        self.slack = Slack(self.workspace, Sockets(f"ws://{host}:{port}"), Gate(), hosts)
        application = web.Application()
        self.slack.add_routes(application)
        await self._services.enter_async_context(serving(application, listening))
        return f"http://{host}:{port}/api/"

    async def _serve(self, application: web.Application) -> str:
        listening = self.guests.listen()
        host, port = listening.getsockname()[:2]
        await self._services.enter_async_context(serving(application, listening))
        return f"http://{host}:{port}"

    def close(self) -> None:
        """A power cut; nothing is left running."""
        self.wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        await self._services.aclose()
        await self.guests.close()
        self.chats.close()
        self.workspace.close()

    def wait(self, order: Coroutine[object, object, T]) -> T:
        """Run an order of the guests and wait for its answer."""
        return asyncio.run_coroutine_threadsafe(order, self._loop).result(PATIENCE["real"] * 2)

    def call(self, action: Callable[[], T]) -> T:
        """Run plain code of a service where it lives."""

        async def act() -> T:
            return action()

        return self.wait(act())

    def pause(self) -> None:
        """A breath between two looks; hanging on would fill a real sshd's doors."""
        sleep(0.05 if self.kind == "simulated" else 0.5)

    def wait_until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Look again and again until it holds; after a long while fail with a sentence."""
        deadline = monotonic() + PATIENCE[self.kind]
        while not holds():
            if monotonic() > deadline:
                raise AssertionError(otherwise)
            self.pause()

    def user_data(self, papers: Papers) -> str:
        """The farm's own words to a new machine."""
        return cloudinit.render(
            cloudinit.CloudInit(
                hostname=papers.principal,
                principal=papers.principal,
                ca_public_keys=self.authority.public_keys,
                host_key_private=papers.host_key_private,
                host_key_public=papers.host_key_public,
                versions=VERSIONS,
            )
        )

    def create(
        self,
        user_data: str,
        papers: Papers,
        *,
        image: str = "debian-12",
        boot: bool = True,
        plate: Nameplate = HETZNERS,
    ) -> Machine:
        """A machine that executes `user_data`, at the cloud of its `plate`."""
        ipv4, number = self.guests.next_ipv4(), next(self._ids)
        spec = GuestSpec(number, papers.principal, image, user_data, ipv4, boot=boot, plate=plate)
        self.wait(self.guests.create(spec))
        return Machine(spec.id, ipv4, self.guests.ssh_port, papers, self)

    def is_off(self, machine: Machine) -> bool:
        """Whether its power is off."""
        return self.wait(self.guests.state(machine.id)) is GuestState.OFF

    def destroy(self, machine: Machine) -> None:
        """Away with it."""
        self.wait(self.guests.destroy(machine.id))

    def settings(self) -> runtime.RuntimeSettings:
        """An agent that may work, thinking with the model here."""
        return runtime.RuntimeSettings(
            agent_name="Ada",
            member="Bob",
            language="en",
            soul="You like short sentences.",
            tools=runtime.Tools.FULL,
            model=runtime.ModelAccess("sandbox", "sandbox-1", MODEL_KEY, self.model_url),
            gateway_token=GATEWAY_TOKEN,
            control_ui_origin="http://ada.agents.localhost:8001",
            heap_mb=768,
            runtime_version=VERSIONS.runtime,
        )


def without(files: tuple[RemoteFile, ...], path: str, text: str) -> tuple[RemoteFile, ...]:
    """The files with every line of `path` that holds `text` left out."""
    return tuple(
        replace(file, content=_thinned(file.content, text)) if file.path == path else file
        for file in files
    )


def _thinned(content: bytes, text: str) -> bytes:
    lines = content.splitlines(keepends=True)
    assert any(text.encode() in line for line in lines), f"{text} is not in the file"
    return b"".join(line for line in lines if text.encode() not in line)
