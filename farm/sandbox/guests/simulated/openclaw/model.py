"""Asking the configured model over HTTP, in the two dialects the providers speak."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from farm.sandbox.guests.simulated.openclaw.config import Config
from farm.sandbox.guests.simulated.outside import Answer, Request, Unreachable
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.wire import Json

DEFAULT_APIS = {"anthropic": "anthropic-messages"}
DEFAULT_URLS = {
    "anthropic": "https://api.anthropic.com",
    "openai": "https://api.openai.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
}
LONGEST_ANSWER = 300.0


class ModelError(Exception):
    """The model did not answer; `status` and `kind` are the provider's, 0 where none came."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


@dataclass(frozen=True, slots=True)
class Call:
    """A tool the model wants run; `arguments` is its JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a session. A tool's result names the call it answers."""

    role: str
    text: str
    calls: tuple[Call, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as it is offered: the names of its required text arguments."""

    name: str
    description: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """Where the model is and what opens it."""

    provider: str
    model: str
    url: str
    key: str
    api: str


def access_to(config: Config) -> Access:
    """The model the config names. ModelError where it is unknown or its key is missing."""
    primary = config.text("agents.defaults.model.primary") or config.text("agents.defaults.model")
    provider, slash, model = primary.partition("/")
    place = f"models.providers.{provider}"
    if not slash or (config.at(place) is None and provider not in DEFAULT_URLS):
        raise ModelError(0, "internal_error", f"Unknown model: {primary}")
    key = config.secret(f"{place}.apiKey")
    if key is None:
        raise ModelError(0, "internal_error", f"No API key found for provider {provider}")
    api = config.text(f"{place}.api") or DEFAULT_APIS.get(provider, "openai-completions")
    url = config.text(f"{place}.baseUrl") or DEFAULT_URLS.get(provider, "")
    return Access(provider, model, url.rstrip("/"), key, api)


async def ask(
    process: Process, access: Access, messages: Sequence[Message], tools: Sequence[Tool]
) -> Message:
    """The model's next message. ModelError if there is none."""
    anthropic = access.api == "anthropic-messages"
    body = (
        anthropic_body(access, messages, tools)
        if anthropic
        else openai_body(access, messages, tools)
    )
    headers = {"Content-Type": "application/json"}
    if anthropic:
        headers |= {"x-api-key": access.key, "anthropic-version": "2023-06-01"}
        url = f"{access.url.removesuffix('/v1')}/v1/messages"
    else:
        headers |= {"Authorization": f"Bearer {access.key}"}
        url = f"{access.url}/chat/completions"
    request = Request("POST", url, headers, json.dumps(body).encode(), LONGEST_ANSWER)
    answer = await _sent(process, request)
    return anthropic_answer(answer.body) if anthropic else openai_answer(answer.body)


async def _sent(process: Process, request: Request) -> Answer:
    machine = process.machine
    try:
        answer = await machine.around.outside.ask(machine, process.who, request)
    except (Unreachable, TimeoutError) as error:
        raise ModelError(0, "connection_error", f"LLM request failed: {error}") from error
    if answer.status != 200:
        raise _refusal(answer)
    return answer


def _refusal(answer: Answer) -> ModelError:
    kind, message = "api_error", answer.body[:300].decode(errors="replace")
    try:
        error = json.loads(answer.body)["error"]
        kind, message = str(error.get("type") or error.get("code")), str(error.get("message"))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return ModelError(answer.status, kind, message)


def openai_body(
    access: Access, messages: Sequence[Message], tools: Sequence[Tool]
) -> dict[str, Json]:
    """A chat completion request, streamed as the runtime asks for it."""
    body: dict[str, Json] = {
        "model": access.model,
        "messages": [_openai_message(message) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": t.name,
                    "description": t.description,
                    "parameters": parameters(t),
                },
            }
            for t in tools
        ]
    return body


def parameters(tool: Tool) -> Json:
    """A tool's arguments as JSON schema."""
    properties: dict[str, Json] = {name: {"type": "string"} for name in tool.arguments}
    return {"type": "object", "properties": properties, "required": list(tool.arguments)}


def _openai_message(message: Message) -> Json:
    shown: dict[str, Json] = {"role": message.role, "content": message.text}
    if message.calls:
        shown["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in message.calls
        ]
    if message.role == "tool":
        shown["tool_call_id"] = message.call_id
    return shown


def frames(body: bytes) -> list[Mapping[str, Json]]:
    """The JSON objects of a server-sent event stream."""
    lines = body.decode(errors="replace").splitlines()
    texts = [line[5:].strip() for line in lines if line.startswith("data:")]
    return [json.loads(text) for text in texts if text and text != "[DONE]"]


def openai_answer(body: bytes) -> Message:
    """The message a chat completion's stream adds up to."""
    text, calls = "", dict[int, Call]()
    for frame in frames(body):
        choices = frame.get("choices")
        delta = (
            choices[0].get("delta")
            if isinstance(choices, list) and choices and isinstance(choices[0], dict)
            else None
        )
        if not isinstance(delta, dict):
            continue
        text += str(delta.get("content") or "")
        pieces = delta.get("tool_calls")
        for piece in pieces if isinstance(pieces, list) else []:
            if isinstance(piece, dict):
                _add_piece(calls, piece)
    return Message("assistant", text, tuple(calls[index] for index in sorted(calls)))


def _add_piece(calls: dict[int, Call], piece: Mapping[str, Json]) -> None:
    index = piece.get("index")
    number = index if isinstance(index, int) else 0
    before = calls.get(number, Call("", "", ""))
    function = piece.get("function")
    named = function if isinstance(function, dict) else {}
    calls[number] = Call(
        str(piece.get("id") or before.id),
        str(named.get("name") or before.name),
        before.arguments + str(named.get("arguments") or ""),
    )


def anthropic_body(
    access: Access, messages: Sequence[Message], tools: Sequence[Tool]
) -> dict[str, Json]:
    """A request to the messages API."""
    body: dict[str, Json] = {
        "model": access.model,
        "max_tokens": 4096,
        "stream": True,
        "system": "\n\n".join(m.text for m in messages if m.role == "system"),
        "messages": [_anthropic_message(m) for m in messages if m.role != "system"],
    }
    if tools:
        body["tools"] = [
            {"name": t.name, "description": t.description, "input_schema": parameters(t)}
            for t in tools
        ]
    return body


def _anthropic_message(message: Message) -> Json:
    if message.role == "tool":
        result = {"type": "tool_result", "tool_use_id": message.call_id, "content": message.text}
        return {"role": "user", "content": [dict[str, Json](result)]}
    blocks: list[Json] = [{"type": "text", "text": message.text}] if message.text else []
    for call in message.calls:
        block = {"type": "tool_use", "id": call.id, "name": call.name}
        blocks.append({**block, "input": json.loads(call.arguments or "{}")})
    return {"role": message.role, "content": blocks}


def anthropic_answer(body: bytes) -> Message:
    """The message a messages API's stream adds up to."""
    text, calls = "", dict[int, Call]()
    for frame in frames(body):
        index, block, delta = frame.get("index"), frame.get("content_block"), frame.get("delta")
        number = index if isinstance(index, int) else 0
        if isinstance(block, dict) and block.get("type") == "tool_use":
            calls[number] = Call(str(block.get("id")), str(block.get("name")), "")
        if isinstance(delta, dict):
            text += str(delta.get("text") or "")
            if number in calls:
                more = str(delta.get("partial_json") or "")
                calls[number] = Call(
                    calls[number].id, calls[number].name, calls[number].arguments + more
                )
    return Message("assistant", text, tuple(calls[index] for index in sorted(calls)))
