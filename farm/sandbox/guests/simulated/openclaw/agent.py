"""The agent's turns: what was said, the persona, the model and the tools, until there is a text."""

from __future__ import annotations

import asyncio
import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import asdict

from farm.sandbox.guests.simulated.openclaw.config import Config
from farm.sandbox.guests.simulated.openclaw.model import Call, Message, access_to, ask
from farm.sandbox.guests.simulated.openclaw.tools import offered, use
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.wire import Json

PERSONA = ("AGENTS.md", "SOUL.md", "IDENTITY.md", "USER.md")
ROUNDS = 40
"""Model calls in one turn; loop detection ends it there."""


class Agent:
    """One agent on its gateway. `process` is the gateway's own, whose user the agent is."""

    def __init__(self, process: Process, config: Config, state: str) -> None:
        self._process, self._config, self._state = process, config, state
        self._locks: dict[str, asyncio.Lock] = {}
        self._talked: dict[str, int] = {}

    @property
    def name(self) -> str:
        """What it is called."""
        return self._config.text(f"agents.entries.{self._config.agent_id}.name", "Assistant")

    @property
    def card(self) -> dict[str, Json]:
        """As the gateway lists it."""
        primary = self._config.text("agents.defaults.model.primary")
        return {"id": self._config.agent_id, "name": self.name, "model": {"primary": primary}}

    @property
    def sessions(self) -> list[Json]:
        """Its conversations since it started, the newest first, as in the gateway's status."""
        newest = sorted(self._talked.items(), key=lambda item: -item[1])
        key = f"agent:{self._config.agent_id}:"
        return [{"key": key + name, "updatedAt": at} for name, at in newest[:10]]

    @property
    def turns(self) -> int:
        """How many it takes just now."""
        return sum(lock.locked() for lock in self._locks.values())

    @property
    def workspace(self) -> str:
        """Where its files are."""
        return self._config.text(
            "agents.defaults.workspace", posixpath.join(self._state, "workspace")
        )

    async def turn(self, session: str, text: str) -> str:
        """What the agent answers in that session. ModelError if the model does not."""
        lock = self._locks.setdefault(session, asyncio.Lock())
        async with lock:
            history = [*self._load(session), Message("user", text)]
            answer = await self._answered(history)
            self._save(session, history)
            self._talked[session] = int(self._process.machine.seconds() * 1000)
            return answer

    async def _answered(self, history: list[Message]) -> str:
        access, tools = access_to(self._config), offered(self._config)
        prompt = Message("system", self._prompt())
        for _ in range(ROUNDS):
            said = await ask(self._process, access, [prompt, *history], tools)
            history.append(said)
            if not said.calls:
                return said.text
            for call in said.calls:
                result = await use(self._process, self.workspace, tools, call)
                history.append(Message("tool", result, call_id=call.id))
        text = "I stopped: the same step came again and again."
        history.append(Message("assistant", text))
        return text

    def _prompt(self) -> str:
        parts = [f"You are {self.name}, an agent on a machine of your own."]
        for name in PERSONA:
            path = posixpath.join(self.workspace, name)
            if self._process.files.find(path) is not None:
                parts.append(f"## {name}\n{self._process.files.text(path)}")
        return "\n\n".join(parts)

    def _path(self, session: str) -> str:
        name = re.sub(r"[^\w-]", "_", session)
        return posixpath.join(
            self._state, "agents", self._config.agent_id, "sessions", f"{name}.json"
        )

    def _load(self, session: str) -> list[Message]:
        node = self._process.files.find(self._path(session))
        return [_message(item) for item in json.loads(node.content)] if node is not None else []

    def _save(self, session: str, history: list[Message]) -> None:
        path = self._path(session)
        self._process.files.make_dir(posixpath.dirname(path), 0o700, parents=True)
        content = json.dumps([asdict(message) for message in history]).encode()
        self._process.files.write(path, content, mode=0o600)


def _message(item: Mapping[str, Json]) -> Message:
    raw = item.get("calls")
    calls = tuple(
        Call(str(one["id"]), str(one["name"]), str(one["arguments"]))
        for one in (raw if isinstance(raw, list) else [])
        if isinstance(one, dict)
    )
    return Message(str(item["role"]), str(item["text"]), calls, str(item["call_id"]))
