"""A small agent: sends a question to the model, runs the tools it asks for, and stops at a text.

It behaves as OpenClaw does: every request is streamed, and after the results of tools it adds a
message of the user's that no user wrote.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import NotRequired, TypedDict

import httpx

from farm.sandbox.wire import Json

INTERNAL = (
    "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nActive exec sessions: none\n"
    "<<<END_OPENCLAW_INTERNAL_CONTEXT>>>"
)
MOST_REQUESTS = 30


def tool(name: str, *arguments: str) -> Json:
    """A tool as it is offered to a model."""
    properties: Json = {argument: {"type": "string"} for argument in arguments}
    parameters: Json = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = (tool("write", "path", "content"), tool("read", "path"), tool("exec", "command"))


@dataclass
class Called:
    """A tool call put together from the stream."""

    id: str
    name: str
    arguments: str


@dataclass
class Streamed:
    """One streamed answer, put together."""

    text: str = ""
    calls: list[Called] = field(default_factory=list)
    finish: str = ""
    completion_tokens: int = 0


@dataclass
class Agent:
    """A conversation in the folder `home`."""

    model: httpx.Client
    home: Path
    tools: tuple[Json, ...] = TOOLS
    messages: list[Json] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)

    def ask(self, question: str) -> str:
        """The model's last word on the question, after all its tools were run."""
        self.messages.append({"role": "user", "content": [{"type": "text", "text": question}]})
        for _ in range(MOST_REQUESTS):
            said = stream(self.model, [*self.messages], self.tools)
            self.messages.append(_assistant(said))
            if not said.calls:
                return said.text
            self._run(said.calls)
        raise AssertionError("the model never stopped asking for tools")

    def _run(self, calls: list[Called]) -> None:
        for call in calls:
            self.asked_for.append(call.name)
            result = self._result(call.name, json.loads(call.arguments))
            self.messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        self.messages.append({"role": "user", "content": [{"type": "text", "text": INTERNAL}]})

    def _result(self, name: str, arguments: dict[str, str]) -> str:
        if name == "write":
            (self.home / arguments["path"]).write_text(arguments["content"])
            return "written"
        if name == "read":
            return (self.home / arguments["path"]).read_text()
        run = ["sh", "-c", arguments["command"]]
        return subprocess.run(run, cwd=self.home, capture_output=True, text=True, check=True).stdout


def stream(model: httpx.Client, messages: list[Json], tools: tuple[Json, ...] = ()) -> Streamed:
    """One request as OpenClaw makes it."""
    body: Json = {
        "model": "sandbox-1",
        "messages": messages,
        "tools": tools,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    said, ended = Streamed(), False
    with model.stream("POST", "/chat/completions", json=body) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line == "data: [DONE]":
                ended = True
            elif line:
                _add(said, json.loads(line.removeprefix("data: ")))
    assert ended
    return said


class Function(TypedDict):
    """What a tool call is about."""

    name: str
    arguments: str


class Call(TypedDict):
    """A tool call in a chunk."""

    id: str
    function: Function


class Delta(TypedDict, total=False):
    """What a chunk adds."""

    content: str
    tool_calls: list[Call]


class Choice(TypedDict):
    """The only choice of a chunk."""

    delta: Delta
    finish_reason: str | None


class Tokens(TypedDict):
    """What was counted."""

    completion_tokens: int


class Chunk(TypedDict):
    """One server-sent event; only the last carries usage, and it has no choice."""

    object: str
    choices: list[Choice]
    usage: NotRequired[Tokens]


def _add(said: Streamed, chunk: Chunk) -> None:
    assert chunk["object"] == "chat.completion.chunk"
    for choice in chunk["choices"]:
        delta = choice["delta"]
        said.text += delta.get("content", "")
        said.finish = choice["finish_reason"] or said.finish
        for call in delta.get("tool_calls", []):
            function = call["function"]
            said.calls.append(Called(call["id"], function["name"], function["arguments"]))
    if "usage" in chunk:
        said.completion_tokens = chunk["usage"]["completion_tokens"]


def _assistant(said: Streamed) -> Json:
    if not said.calls:
        return {"role": "assistant", "content": said.text}
    calls: Json = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in said.calls
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}
