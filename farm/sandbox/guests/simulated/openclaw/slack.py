"""The runtime's Slack channel: a socket that it opens itself, and answers for whom it may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from aiohttp import WSMsgType

from farm.sandbox.guests.simulated.openclaw.agent import Agent
from farm.sandbox.guests.simulated.openclaw.config import Config
from farm.sandbox.guests.simulated.openclaw.model import ModelError
from farm.sandbox.guests.simulated.outside import Request, Unreachable
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.wire import Json

RETRY = 1.0
"""Seconds between attempts while Slack does not answer."""
DEAD = frozenset({"invalid_auth", "not_authed", "missing_scope", "not_allowed_token_type"})


class SlackRefused(Exception):  # noqa: N818
    """Slack answered with an error, which is the message."""


class SlackChannel:
    """One app. `problem` is why it does not work, "" while it does."""

    def __init__(self, process: Process, config: Config, agent: Agent) -> None:
        self._process, self._config, self._agent = process, config, agent
        self._bot = config.secret("channels.slack.botToken") or ""
        self._app = config.secret("channels.slack.appToken") or ""
        self.problem = "" if self._bot and self._app else "token missing"

    async def run(self) -> None:
        """Listen until cancelled; tokens that are refused end it."""
        while self._bot and self._app:
            try:
                await self._call(self._bot, "auth.test", {})
                opened = await self._call(self._app, "apps.connections.open", {})
                self.problem = ""
                await self._listen(str(opened.get("url")))
            except SlackRefused as error:
                self.problem = str(error)
                if str(error) in DEAD:
                    return
            except (Unreachable, TimeoutError, ValueError) as error:
                self.problem = f"not reachable: {error}"
            await self._process.machine.sleep(RETRY)

    async def _listen(self, url: str) -> None:
        machine = self._process.machine
        socket = await machine.around.outside.connect(machine, url)
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    break
                said = json.loads(frame.data)
                if said.get("envelope_id"):
                    await socket.send_json({"envelope_id": said["envelope_id"], "payload": {}})
                    asyncio.get_running_loop().create_task(self._take(said))
        finally:
            await socket.close()

    async def _take(self, said: Mapping[str, Json]) -> None:
        payload = said.get("payload")
        event = payload.get("event") if isinstance(payload, dict) else None
        if not isinstance(event, dict) or event.get("channel_type") != "im":
            return
        person, text = str(event.get("user")), str(event.get("text"))
        if person not in self._config.words("channels.slack.allowFrom"):
            return
        answer = await self._answer(person, text)
        wish: dict[str, Json] = {"channel": event.get("channel"), "text": answer[:4000]}
        await self._call(self._bot, "chat.postMessage", wish)

    async def _answer(self, person: str, text: str) -> str:
        try:
            return await self._agent.turn(f"slack:{person}", text)
        except ModelError as error:
            return f"The model did not answer: {error}"

    async def _call(self, token: str, method: str, body: Mapping[str, Json]) -> Mapping[str, Json]:
        machine = self._process.machine
        root = self._process.env.get("SLACK_API_URL", "https://slack.com/api/")
        request = Request(
            "POST",
            f"{root}{method}",
            {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
            json.dumps(body).encode(),
            30,
        )
        answer = await machine.around.outside.ask(machine, self._process.who, request)
        said = json.loads(answer.body)
        if not isinstance(said, dict) or not said.get("ok"):
            raise SlackRefused(str(said.get("error")) if isinstance(said, dict) else "no answer")
        return said
