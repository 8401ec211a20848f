"""The sandbox's Stripe served over real HTTP from a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
import stripe
from aiohttp import web

from farm.sandbox.clock import Clock
from farm.sandbox.control import clock_routes
from farm.sandbox.faults import Gate
from farm.sandbox.faults_http import fault_routes
from farm.sandbox.stripe.application import stripe_application
from farm.sandbox.stripe.control import stripe_routes
from farm.sandbox.stripe.house import House, open_house
from farm.sandbox.wire import BadRequestError, Json, JsonObject

PATIENCE = 30.0
SLOW = 0.01
"""How fast its time runs unless told: what is to wait there waits however slow this machine is."""
KEY, WEBHOOK_SECRET = "sk_test_of_the_tests", "whsec_of_the_tests"


@dataclass(slots=True)
class StripeAtWork:
    """Its API and pages at `endpoint`, its control endpoint at `control`."""

    house: House
    clock: Clock
    endpoint: str
    control: str
    loop: asyncio.AbstractEventLoop

    def client(self, key: str = KEY, *, retries: int = 0) -> stripe.StripeClient:
        """The official client, pointed here."""
        client = stripe.StripeClient(
            key, base_addresses={"api": self.endpoint}, max_network_retries=retries
        )
        stripe.enable_telemetry = False
        return client

    def order(self, path: str, body: Json) -> JsonObject:
        """A POST to the control endpoint."""
        response = requests.post(f"{self.control}{path}", json=body, timeout=PATIENCE)
        assert response.ok, response.text
        answered: JsonObject = json.loads(response.text or "{}")
        return answered

    def read(self, path: str) -> JsonObject:
        """A GET of the control endpoint."""
        answered: JsonObject = requests.get(f"{self.control}{path}", timeout=PATIENCE).json()
        return answered

    def pass_time(self, by: timedelta) -> None:
        """Move the sandbox's clock on."""
        self.order("/clock", {"advance": by.total_seconds()})


@dataclass(slots=True)
class Inbox:
    """Where webhooks arrive: bodies with their signatures, answered with `status`."""

    url: str = ""
    status: int = 200
    taken: list[tuple[bytes, str]] = field(default_factory=list)

    def kinds(self) -> list[str]:
        """The types of the events, in the order in which they came."""
        return [str(json.loads(body)["type"]) for body, _ in self.taken]


@contextmanager
def inbox() -> Iterator[Inbox]:
    """An endpoint that listens inside."""
    box = Inbox()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.taken.append((body, self.headers["Stripe-Signature"]))
            self.send_response(box.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    box.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    try:
        yield box
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


@contextmanager
def stripe_at_work(folder: Path, *, clock: Clock | None = None) -> Iterator[StripeAtWork]:
    """The payment house answers inside; afterwards its thread is gone and its folder is left."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        started = asyncio.run_coroutine_threadsafe(_start(folder, clock or Clock(speed=SLOW)), loop)
        at_work, runners = started.result(PATIENCE)
        try:
            yield at_work
        finally:
            asyncio.run_coroutine_threadsafe(_stop(at_work, runners), loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


async def _start(folder: Path, clock: Clock) -> tuple[StripeAtWork, list[web.AppRunner]]:
    house = open_house(folder, clock=clock, gate=Gate(), site="", key=KEY)
    control = web.Application(middlewares=[_sentences])
    control.add_routes(
        [
            *stripe_routes(house, WEBHOOK_SECRET),
            *fault_routes(house.gate),
            *clock_routes(clock),
        ]
    )
    api = web.AppRunner(stripe_application(house), shutdown_timeout=0.1)
    steering = web.AppRunner(control, shutdown_timeout=0.1)
    ports = [await _serve(runner) for runner in (api, steering)]
    house.books.site = f"http://127.0.0.1:{ports[0]}"
    at_work = StripeAtWork(
        house=house,
        clock=clock,
        endpoint=house.books.site,
        control=f"http://127.0.0.1:{ports[1]}",
        loop=asyncio.get_running_loop(),
    )
    return at_work, [api, steering]


@web.middleware
async def _sentences(request: web.Request, handler: object) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)  # type: ignore[operator]
    except BadRequestError as error:
        return web.json_response({"error": str(error)}, status=422)
    return response


async def _serve(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])


async def _stop(at_work: StripeAtWork, runners: list[web.AppRunner]) -> None:
    at_work.house.gate.clear()
    for runner in runners:
        await runner.cleanup()
    at_work.house.books.close()
