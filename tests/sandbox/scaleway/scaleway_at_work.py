"""A Scaleway of the sandbox served over real HTTP from a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import requests
from aiohttp import web

from farm.sandbox.clock import Clock
from farm.sandbox.faults import Gate
from farm.sandbox.faults_http import fault_routes
from farm.sandbox.scaleway.application import scaleway_application
from farm.sandbox.scaleway.cloud import ScalewayCloud
from farm.sandbox.scaleway.control import scaleway_routes
from farm.sandbox.wire import JsonObject
from provisioning.scaleway import Scaleway
from tests.sandbox.hetzner.memory_guests import MemoryGuests

PATIENCE = 10.0


@dataclass(slots=True)
class ScalewayAtWork:
    """Its API at `endpoint`, its control endpoint at `control`."""

    cloud: ScalewayCloud
    guests: MemoryGuests
    endpoint: str
    control: str

    def provider(self, endpoint: str | None = None) -> Scaleway:
        """The farm's adapter with the first project's key."""
        project = self.cloud.project
        return Scaleway(
            access_key=project.access_key,
            secret_key=project.secret_key,
            project=project.uid,
            endpoint=endpoint or self.endpoint,
            ipv4_hourly=Decimal(self.cloud.books.catalog.ipv4),
        )

    def ask(
        self, method: str, path: str, *, key: str | None = None, body: str | None = None
    ) -> requests.Response:
        """A bare request; an empty key sends no header."""
        key = self.cloud.project.secret_key if key is None else key
        headers = {"X-Auth-Token": key} if key else {}
        return requests.request(
            method, f"{self.endpoint}{path}", headers=headers, data=body, timeout=10
        )

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

    def books(self, path: str) -> dict[str, list[dict[str, object]]]:
        """What a control route shows: /scaleway/inventory or /scaleway/invoice."""
        books: dict[str, list[dict[str, object]]] = requests.get(
            f"{self.control}{path}", timeout=10
        ).json()
        return books

    def calls(self) -> list[str]:
        """What the gate counted, each call in its words."""
        counted = requests.get(f"{self.control}/calls", timeout=10).json()["calls"]
        return [call["detail"] for call in counted]


@contextmanager
def scaleway_at_work(
    folder: Path, *, guests: MemoryGuests | None = None, clock: Clock | None = None
) -> Iterator[ScalewayAtWork]:
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
) -> tuple[ScalewayAtWork, list[web.AppRunner]]:
    cloud = ScalewayCloud(folder=folder, guests=guests, clock=clock or Clock(), gate=Gate())
    await cloud.start()
    control = web.Application()
    control.add_routes([*scaleway_routes(cloud), *fault_routes(cloud.gate)])
    api = web.AppRunner(scaleway_application(cloud), shutdown_timeout=0.1)
    steering = web.AppRunner(control, shutdown_timeout=0.1)
    ports = [await _serve(runner) for runner in (api, steering)]
    at_work = ScalewayAtWork(
        cloud=cloud,
        guests=guests,
        endpoint=f"http://127.0.0.1:{ports[0]}",
        control=f"http://127.0.0.1:{ports[1]}",
    )
    return at_work, [api, steering]


async def _serve(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])


async def _stop(at_work: ScalewayAtWork, runners: list[web.AppRunner]) -> None:
    at_work.cloud.gate.clear()
    for runner in runners:
        await runner.cleanup()
    await at_work.cloud.close()
