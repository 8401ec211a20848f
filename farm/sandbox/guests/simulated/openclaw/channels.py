"""The chat apps of a running gateway: started from its config, and asked and told by RPC."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from farm.sandbox.guests.simulated.openclaw.agent import Agent
from farm.sandbox.guests.simulated.openclaw.config import Config
from farm.sandbox.guests.simulated.openclaw.plugins import is_there
from farm.sandbox.guests.simulated.openclaw.slack import SlackChannel
from farm.sandbox.guests.simulated.openclaw.telegram import TelegramChannel
from farm.sandbox.guests.simulated.openclaw.whatsapp import WhatsAppChannel
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.wire import Json

NO_LOGIN = "web login provider is not available"


class InvalidCallError(Exception):
    """A call that names what is not there; the message is what the gateway says."""


class Channel(Protocol):
    """One chat app."""

    problem: str

    async def run(self) -> None:
        """Talk until cancelled, or until there is nobody to talk as."""


class Channels:
    """All that the config enables and whose software is there."""

    def __init__(self, process: Process, config: Config, agent: Agent, state: str) -> None:
        self._all: dict[str, Channel] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.suppressed: list[str] = []
        self._whatsapp: WhatsAppChannel | None = None
        if config.yes("channels.telegram.enabled"):
            self._all["telegram"] = TelegramChannel(process, config, agent)
        if config.yes("channels.slack.enabled") and is_there(process, "slack"):
            self._all["slack"] = SlackChannel(process, config, agent)
        if config.yes("channels.whatsapp.enabled") and is_there(process, "whatsapp"):
            self._whatsapp = WhatsAppChannel(process, config, agent, state)
            self._all["whatsapp"] = self._whatsapp

    def start_all(self, *, crashed: bool) -> None:
        """After several crashes every channel is held back."""
        if crashed:
            self.suppressed = list(self._all)
            return
        for name in self._all:
            self._start(name)

    def close(self) -> None:
        """Stop talking."""
        for task in self._tasks.values():
            task.cancel()
        if self._whatsapp is not None:
            self._whatsapp.close()

    @property
    def failing(self) -> list[str]:
        """The channels that do not work, but for those held back."""
        working = (name for name in self._all if name not in self.suppressed)
        return [name for name in working if self._all[name].problem]

    async def call(self, method: str, params: Mapping[str, Json]) -> dict[str, Json] | None:
        """What a method about channels answers; None for a method about anything else."""
        name = str(params.get("channel", ""))
        if method == "channels.status":
            return {"channels": {known: self._status(known) for known in self._all}}
        if method == "channels.start":
            self._start(self._known(name, method))
            return {"started": True}
        if method == "channels.logout":
            return self._log_out(self._known(name, method))
        if method in ("web.login.start", "web.login.wait"):
            return await self._log_in(method, params)
        return None

    async def _log_in(self, method: str, params: Mapping[str, Json]) -> dict[str, Json]:
        if self._whatsapp is None or params.get("channel") != "whatsapp":
            raise InvalidCallError(NO_LOGIN)
        if method == "web.login.start":
            return await self._whatsapp.start_login(force=params.get("force") is True)
        limit = params.get("timeoutMs")
        seconds = limit / 1000 if isinstance(limit, int) else 120.0
        told = await self._whatsapp.wait_for_login(str(params.get("currentQrDataUrl")), seconds)
        if told["connected"]:
            self._start("whatsapp")
        return told

    def _log_out(self, name: str) -> dict[str, Json]:
        if name != "whatsapp" or self._whatsapp is None:
            raise InvalidCallError(f"channel {name} does not support logout")
        return self._whatsapp.log_out()

    def _known(self, name: str, method: str) -> str:
        if name not in self._all:
            raise InvalidCallError(f"invalid {method} channel")
        return name

    def _start(self, name: str) -> None:
        if (running := self._tasks.get(name)) and not running.done():
            running.cancel()
        self.suppressed = [held for held in self.suppressed if held != name]
        self._tasks[name] = asyncio.get_running_loop().create_task(self._all[name].run())

    def _status(self, name: str) -> dict[str, Json]:
        if name == "whatsapp" and self._whatsapp is not None:
            return self._whatsapp.status()
        running = name in self._tasks and not self._tasks[name].done()
        return {"configured": True, "running": running}
