"""All outside services of one sandbox in one event loop: brought up in order, ended in reverse."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace

from aiohttp import web

from farm.sandbox import state
from farm.sandbox.addresses import Addresses
from farm.sandbox.callers import host_addresses
from farm.sandbox.choice import choose, guests_of
from farm.sandbox.clock import Clock
from farm.sandbox.control import control_application
from farm.sandbox.faults import Gate
from farm.sandbox.faults_http import fault_routes
from farm.sandbox.guests.base import GuestKind
from farm.sandbox.guests.simulated import SimulatedGuests
from farm.sandbox.guests.simulated.phones import whatsapp_routes
from farm.sandbox.hetzner.application import hetzner_application
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.control import hetzner_routes
from farm.sandbox.images import ImageWatch
from farm.sandbox.mailbox.mails import Mails
from farm.sandbox.mailbox.page import mailbox_application, message_routes
from farm.sandbox.mailbox.smtp import receiving
from farm.sandbox.model.control import model_routes
from farm.sandbox.model.keys import Keyring
from farm.sandbox.model.service import Model
from farm.sandbox.options import SandboxOptions
from farm.sandbox.relay_way import relay_way
from farm.sandbox.report import Report
from farm.sandbox.scaleway.application import scaleway_application
from farm.sandbox.scaleway.cloud import ScalewayCloud
from farm.sandbox.scaleway.control import scaleway_routes
from farm.sandbox.scaleway.records import Key
from farm.sandbox.serving import bound, greet_mail, loopback, serving, wait_until_answering
from farm.sandbox.slack.control import slack_routes
from farm.sandbox.slack.page import SlackPages
from farm.sandbox.slack.service import Slack
from farm.sandbox.slack.sockets import Sockets
from farm.sandbox.slack.workspace import Workspace
from farm.sandbox.state import Identity
from farm.sandbox.stripe.application import stripe_application
from farm.sandbox.stripe.control import lead_to, stripe_routes
from farm.sandbox.stripe.house import House, open_house
from farm.sandbox.telegram.chats import Chats
from farm.sandbox.telegram.control import telegram_routes
from farm.sandbox.telegram.page import PhonePages
from farm.sandbox.telegram.service import Telegram
from farm.sandbox.whereabouts import Ready, probes, report_of


@asynccontextmanager
async def running(options: SandboxOptions) -> AsyncIterator[Report]:
    """A sandbox that answers, inside; afterwards nothing of it is left but its folder.

    SandboxError or GuestError says what to do where it cannot start. The folder must be `locked`.
    """
    kept = state.identity(options.state, options.ports)
    choice = await choose(options, kept.kind)
    kept = replace(kept, kind=choice.kind)
    gate = Gate()
    async with AsyncExitStack() as stack:
        clock = await stack.enter_async_context(state.kept_clock(options.state, options.speed))
        guests = guests_of(choice, options, clock=clock, gate=gate)
        report = await _Assembly(options, kept, guests, clock, gate, stack).bring_up()
        state.save_identity(options.state, kept)
        yield report


@dataclass(frozen=True, slots=True)
class _Sockets:
    """Listening, before anything answers on them."""

    hetzner: socket.socket
    scaleway: socket.socket
    stripe: socket.socket
    smtp: socket.socket
    mailbox: socket.socket
    control: socket.socket


@dataclass(frozen=True, slots=True)
class _World:
    """What is no cloud: the model, and where people write to agents and read of them."""

    model: Model
    telegram: Telegram
    slack: Slack
    mails: Mails
    stripe: House


@dataclass(frozen=True, slots=True)
class _Assembly:
    """Everything one start needs to know; whatever is entered on `stack` ends with it."""

    options: SandboxOptions
    kept: Identity
    guests: GuestKind
    clock: Clock
    gate: Gate
    stack: AsyncExitStack

    async def bring_up(self) -> Report:
        """Ports first, so that a taken one is told before any machine boots."""
        sockets = self._own_sockets()
        self.stack.push_async_callback(self.guests.close)
        await self.guests.start()
        addresses = Addresses(self.guests)
        cloud, scaleway = await self._cloud(addresses), await self._scaleway(addresses)
        world = _World(
            self._model(), self._telegram(), self._slack(), self._mails(), self._stripe()
        )
        await self._serve(hetzner_application(cloud), sockets.hetzner)
        await self._serve(scaleway_application(scaleway), sockets.scaleway)
        await self._serve_world(sockets, world)
        if self.options.farm_inside:
            await self._serve_inside(cloud, scaleway, world.mails)
        images = await self.stack.enter_async_context(ImageWatch(self.guests).watching())
        control = control_application(
            fault_routes(self.gate),
            hetzner_routes(cloud),
            scaleway_routes(scaleway),
            model_routes(world.model),
            telegram_routes(world.telegram),
            slack_routes(world.slack),
            stripe_routes(world.stripe, self.kept.stripe_webhook_secret),
            _whatsapp(self.guests),
            message_routes(world.mails, "/mail"),
            clock=self.clock,
            guests=self.guests,
            images=images,
        )
        await self._serve(control, sockets.control)
        chats = world.telegram.chats
        app = world.slack.workspace.ready_app()
        ready = Ready(chats.ready_bot(), chats.manager_bot(), app)
        return await self._checked(
            report_of(self.kept, self.guests, ready, relayed=bool(self.options.relay))
        )

    def _own_sockets(self) -> _Sockets:
        """What only this machine reaches; model and Telegram listen among the guests."""
        ports = self.kept.ports
        return _Sockets(
            hetzner=self._loopback("Hetzner API", ports.hetzner),
            scaleway=self._loopback("Scaleway API", ports.scaleway),
            stripe=self._loopback("Stripe API", ports.stripe),
            smtp=self._loopback("mail", ports.smtp),
            mailbox=self._loopback("mailbox page", ports.mailbox),
            control=self._loopback("control endpoint", ports.control),
        )

    async def _serve_world(self, sockets: _Sockets, world: _World) -> None:
        ports = self.kept.ports
        telegram, slack = _telegram_pages(world.telegram), _slack_pages(world.slack)
        await self._serve(world.model.application(), self._among_guests("model", ports.model))
        await self._serve(telegram, self._among_guests("Telegram", ports.telegram))
        await self._serve(slack, self._among_guests("Slack", ports.slack))
        if self.options.relay:
            way = relay_way(self.options.relay)
            await self._serve(way, self._among_guests("way to the relay", ports.relay))
        await self._serve(stripe_application(world.stripe), sockets.stripe)
        await self._serve(mailbox_application(world.mails), sockets.mailbox)
        await self.stack.enter_async_context(receiving(world.mails, sockets.smtp))

    async def _serve_inside(
        self, cloud: HetznerCloud, scaleway: ScalewayCloud, mails: Mails
    ) -> None:
        """For a farm that stands on one of the machines."""
        ports = self.kept.ports
        hetzner = self._among_guests("Hetzner API", ports.hetzner)
        await self._serve(hetzner_application(cloud), hetzner)
        await self._serve(
            scaleway_application(scaleway), self._among_guests("Scaleway API", ports.scaleway)
        )
        smtp = self._among_guests("mail", ports.smtp)
        await self.stack.enter_async_context(receiving(mails, smtp))

    async def _checked(self, report: Report) -> Report:
        await wait_until_answering(probes(report))
        await greet_mail(self.kept.ports.smtp)
        # The questions just asked were no calls of a farm's.
        self.gate.clear()
        return report

    async def _cloud(self, addresses: Addresses) -> HetznerCloud:
        cloud = HetznerCloud(
            folder=self.options.state / "hetzner",
            guests=self.guests,
            clock=self.clock,
            gate=self.gate,
            addresses=addresses,
            token=self.kept.hetzner_token,
        )
        self.stack.push_async_callback(cloud.close)
        await cloud.start()
        return cloud

    async def _scaleway(self, addresses: Addresses) -> ScalewayCloud:
        kept = self.kept
        cloud = ScalewayCloud(
            folder=self.options.state / "scaleway",
            guests=self.guests,
            clock=self.clock,
            gate=self.gate,
            addresses=addresses,
            key=Key(kept.scaleway_project, kept.scaleway_access_key, kept.scaleway_secret_key),
        )
        self.stack.push_async_callback(cloud.close)
        await cloud.start()
        return cloud

    def _model(self) -> Model:
        hosts = host_addresses(self.guests.service_host)
        return Model(Keyring(self.kept.model_key), self.clock, self.gate, hosts)

    def _telegram(self) -> Telegram:
        chats = Chats(self.options.state / "telegram.sqlite3", self.clock)
        self.stack.enter_context(closing(chats))
        return Telegram(chats, self.gate, host_addresses(self.guests.service_host))

    def _slack(self) -> Slack:
        host, port = self.guests.service_host, self.kept.ports.slack
        workspace = Workspace(self.options.state / "slack.sqlite3", self.clock)
        self.stack.enter_context(closing(workspace))
        sockets = Sockets(f"ws://{host}:{port}")
        return Slack(workspace, sockets, self.gate, host_addresses(host))

    def _stripe(self) -> House:
        house = open_house(
            self.options.state / "stripe",
            clock=self.clock,
            gate=self.gate,
            site=f"http://127.0.0.1:{self.kept.ports.stripe}",
            key=self.kept.stripe_key,
        )
        self.stack.enter_context(closing(house.books))
        if self.options.webhooks:
            lead_to(house, self.options.webhooks, self.kept.stripe_webhook_secret)
        return house

    def _mails(self) -> Mails:
        mails = Mails(self.options.state / "mailbox.sqlite3", self.clock)
        return self.stack.enter_context(closing(mails))

    async def _serve(self, application: web.Application, listening: socket.socket) -> None:
        await self.stack.enter_async_context(serving(application, listening))

    def _loopback(self, service: str, port: int) -> socket.socket:
        return self.stack.enter_context(bound(service, port, loopback))

    def _among_guests(self, service: str, port: int) -> socket.socket:
        return self.stack.enter_context(bound(service, port, self.guests.listen))


def _telegram_pages(telegram: Telegram) -> web.Application:
    application = web.Application()
    telegram.add_routes(application)
    PhonePages(telegram).add_routes(application)
    return application


def _slack_pages(slack: Slack) -> web.Application:
    application = web.Application()
    slack.add_routes(application)
    SlackPages(slack).add_routes(application)
    return application


def _whatsapp(guests: GuestKind) -> list[web.RouteDef]:
    """Only simulated guests meet a WhatsApp here: the real one speaks to no other address."""
    return whatsapp_routes(guests.whatsapp) if isinstance(guests, SimulatedGuests) else []
