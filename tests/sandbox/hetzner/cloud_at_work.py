"""A Hetzner Cloud of the sandbox served over real HTTP from a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import requests
from aiohttp import web
from hcloud import Client

from farm.sandbox.clock import Clock
from farm.sandbox.faults import Gate
from farm.sandbox.faults_http import fault_routes
from farm.sandbox.hetzner.application import hetzner_application
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.control import hetzner_routes
from farm.sandbox.wire import JsonObject
from tests.sandbox.hetzner.memory_guests import MemoryGuests

PATIENCE = 10.0
T = TypeVar("T")


@dataclass(slots=True)
class CloudAtWork:
    """Its API at `endpoint`, its control endpoint at `control`."""

    cloud: HetznerCloud
    guests: MemoryGuests
    endpoint: str
    control: str
    loop: asyncio.AbstractEventLoop
    watch: Callable[[requests.Response], None] = field(default=lambda response: None)

    def client(self, token: str | None = None) -> Client:
        """The official client, pointed here; what it receives is watched."""
        client = Client(token=token or self.cloud.token, api_endpoint=self.endpoint, timeout=10)
        client._client._retry_max_retries = 0
        client._client._session.hooks["response"].append(lambda r, **_: self.watch(r))
        return client

    def ask(
        self, method: str, path: str, *, token: str | None = None, body: str | None = None
    ) -> requests.Response:
        """A bare request; an empty token sends no header."""
        token = self.cloud.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = requests.request(
            method, f"{self.endpoint}{path}", headers=headers, data=body, timeout=10
        )
        self.watch(response)
        return response

    def order(self, path: str, body: JsonObject) -> requests.Response:
        """A POST to the control endpoint."""
        response = requests.post(
            f"{self.control}{path}",
            data=json.dumps(body),
            headers={"Content-Type": "application/json"},
            timeout=10,
        )
        assert response.ok, response.text
        return response

    def calls(self) -> list[str]:
        """What the gate counted, each call in its words."""
        counted = requests.get(f"{self.control}/calls", timeout=10).json()["calls"]
        return [call["detail"] for call in counted]

    def run(self, work: Coroutine[None, None, T]) -> T:
        """Run something in the cloud's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)


def eventually(look: Callable[[], T]) -> T:
    """What `look` answers as soon as it is true."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return seen


@contextmanager
def cloud_at_work(
    folder: Path, *, guests: MemoryGuests | None = None, clock: Clock | None = None
) -> Iterator[CloudAtWork]:
    """The cloud answers inside; afterwards its thread is gone and its folder is left."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    machines = guests or MemoryGuests()
    try:
        started = asyncio.run_coroutine_threadsafe(_start(folder, machines, clock), loop)
        at_work, runners = started.result(PATIENCE)
        try:
            yield at_work
        finally:
            asyncio.run_coroutine_threadsafe(_stop(at_work, runners), loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


async def _start(
    folder: Path, guests: MemoryGuests, clock: Clock | None
) -> tuple[CloudAtWork, list[web.AppRunner]]:
    cloud = HetznerCloud(folder=folder, guests=guests, clock=clock or Clock(), gate=Gate())
    await cloud.start()
    control = web.Application()
    control.add_routes([*hetzner_routes(cloud), *fault_routes(cloud.gate)])
    api = web.AppRunner(hetzner_application(cloud), shutdown_timeout=0.1)
    steering = web.AppRunner(control, shutdown_timeout=0.1)
    ports = [await _serve(runner) for runner in (api, steering)]
    at_work = CloudAtWork(
        cloud=cloud,
        guests=guests,
        endpoint=f"http://127.0.0.1:{ports[0]}/v1",
        control=f"http://127.0.0.1:{ports[1]}",
        loop=asyncio.get_running_loop(),
    )
    return at_work, [api, steering]


async def _serve(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])


async def _stop(at_work: CloudAtWork, runners: list[web.AppRunner]) -> None:
    at_work.cloud.gate.clear()
    for runner in runners:
        await runner.cleanup()
    await at_work.cloud.close()
