"""The runtime's Telegram channel: long polling, and answers for those it may answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from farm.sandbox.guests.simulated.openclaw.agent import Agent
from farm.sandbox.guests.simulated.openclaw.config import Config
from farm.sandbox.guests.simulated.openclaw.model import ModelError
from farm.sandbox.guests.simulated.outside import Request, Unreachable
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.wire import Json

RETRY = 1.0
"""Seconds between attempts while the Bot API does not answer."""


class BotRefused(Exception):  # noqa: N818
    """The Bot API answered with an error; `status` is its code."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status


class TelegramChannel:
    """One bot. `problem` is why it does not work, "" while it does."""

    def __init__(self, process: Process, config: Config, agent: Agent) -> None:
        self._process, self._config, self._agent = process, config, agent
        self._token = config.secret("channels.telegram.botToken")
        self._offset = 0
        self.problem = "" if self._token else "token missing"

    async def run(self) -> None:
        """Poll for messages until cancelled; a token that is refused ends it."""
        while self._token:
            try:
                await self._call("getMe", {})
                self.problem = ""
                await self._poll()
            except BotRefused as error:
                self.problem = str(error)
                if error.status in {401, 404}:
                    return
            except (Unreachable, TimeoutError, ValueError) as error:
                self.problem = f"not reachable: {error}"
            await self._process.machine.sleep(RETRY)

    async def _poll(self) -> None:
        seconds = self._process.machine.around.timings.poll
        while True:
            wish: dict[str, Json] = {"timeout": int(seconds), "allowed_updates": ["message"]}
            if self._offset:
                wish["offset"] = self._offset
            updates = await self._call("getUpdates", wish)
            for update in updates if isinstance(updates, list) else []:
                if isinstance(update, dict):
                    await self._take(update)

    async def _call(self, method: str, body: Mapping[str, Json]) -> Json:
        machine = self._process.machine
        root = self._config.text("channels.telegram.apiRoot", "https://api.telegram.org").rstrip(
            "/"
        )
        request = Request(
            "POST",
            f"{root}/bot{self._token}/{method}",
            {"Content-Type": "application/json"},
            json.dumps(body).encode(),
            machine.around.timings.poll + 30,
        )
        answer = await machine.around.outside.ask(machine, self._process.who, request)
        said = json.loads(answer.body)
        if not said.get("ok"):
            raise BotRefused(answer.status, str(said.get("description")))
        result: Json = said.get("result")
        return result

    async def _take(self, update: Mapping[str, Json]) -> None:
        number, message = update.get("update_id"), update.get("message")
        if isinstance(message, dict):
            await self._message(message)
        # Confirmed only now: after a power cut in mid-answer the message comes again.
        self._offset = (number if isinstance(number, int) else self._offset) + 1

    async def _message(self, message: Mapping[str, Json]) -> None:
        sender, chat = message.get("from"), message.get("chat")
        if not isinstance(sender, dict) or not isinstance(chat, dict):
            return
        if chat.get("type") != "private" or not isinstance(message.get("text"), str):
            return
        person = str(sender.get("id"))
        if person in self._config.words("channels.telegram.allowFrom") or self._policy == "open":
            answer = await self._answer(person, str(message["text"]))
            await self._call("sendMessage", {"chat_id": chat.get("id"), "text": answer[:4096]})
        elif self._policy == "pairing":
            code = secrets.token_hex(4).upper()
            await self._call(
                "sendMessage", {"chat_id": chat.get("id"), "text": f"Pairing code: {code}"}
            )

    @property
    def _policy(self) -> str:
        return self._config.text("channels.telegram.dmPolicy", "pairing")

    async def _answer(self, person: str, text: str) -> str:
        try:
            return await self._agent.turn(f"telegram:{person}", text)
        except ModelError as error:
            return f"The model did not answer: {error}"
