"""How HTTP services of the sandbox pass the gate, and the control routes that arm it."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from aiohttp import web

from farm.sandbox.faults import ActionFault, Answer, Fault, Gate, Passage, Refused, Severed, When

Handler = Callable[[Passage], Awaitable[web.StreamResponse]]
Envelope = Callable[[Answer], web.StreamResponse]

EFFECTS = ("signal", "answer", "reset", "hang", "delay", "action")
FIELDS = ("kind", "match", "unless", "call", "times", "when", *EFFECTS)


async def pass_gate(
    gate: Gate, request: web.Request, *, kind: str, detail: str, handler: Handler, refuse: Envelope
) -> web.StreamResponse:
    """Run `handler` behind the gate; `refuse` dresses an ordered answer as this service would."""
    try:
        async with gate.passage(kind, detail) as passage:
            response = await handler(passage)
    except Refused as refused:
        return refusal(refused.answer, refuse)
    except Severed:
        sever(request)
        return web.Response(status=500)
    return response


def refusal(answer: Answer, refuse: Envelope) -> web.StreamResponse:
    """The ordered answer: its own text as it is, or the service's envelope."""
    if answer.text is None:
        return refuse(answer)
    return web.Response(status=answer.status, text=answer.text, content_type="text/html")


def sever(request: web.Request) -> None:
    """Cut the connection with a reset; nothing written later reaches the other side."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


def fault_routes(gate: Gate) -> list[web.RouteDef]:
    """POST /faults arms one, GET shows them, DELETE clears; GET /calls lists the counted calls."""

    async def arm(request: web.Request) -> web.Response:
        try:
            fault = read_fault(await request.json())
        except (json.JSONDecodeError, ValueError, TypeError) as problem:
            return web.json_response({"error": str(problem)}, status=422)
        return web.json_response({"id": gate.arm(fault)}, status=201)

    async def show(_: web.Request) -> web.Response:
        armed = [{"id": number, **asdict(fault)} for number, fault in gate.armed()]
        return web.json_response({"calls": gate.count, "armed": armed})

    async def clear(_: web.Request) -> web.Response:
        gate.clear()
        return web.Response(status=204)

    async def calls(_: web.Request) -> web.Response:
        return web.json_response({"calls": [asdict(call) for call in gate.calls]})

    return [
        web.post("/faults", arm),
        web.get("/faults", show),
        web.delete("/faults", clear),
        web.get("/calls", calls),
    ]


def read_fault(raw: object) -> Fault:
    """A fault from its JSON object; ValueError says what to write instead.

    Such as {"signal": 4711, "call": 3, "when": "after"}, or {"kind": "hetzner", "match":
    ["POST /servers"], "answer": {"status": 429, "code": "rate_limit_exceeded", "retry_after": 5}}.
    """
    if not isinstance(raw, dict):
        raise ValueError("a fault is a JSON object")  # noqa: TRY004
    if unknown := set(raw) - set(FIELDS):
        raise ValueError(f"unknown {sorted(unknown)}; a fault has {', '.join(FIELDS)}")
    if sum(1 for effect in EFFECTS if raw.get(effect) is not None) != 1:
        raise ValueError(f"a fault has exactly one of {', '.join(EFFECTS)}")
    fields = dict(raw)
    for words in ("match", "unless"):
        fields[words] = tuple(fields.get(words, ()))
    fields["when"] = When(fields.get("when", When.BEFORE))
    if fields.get("answer") is not None:
        fields["answer"] = Answer(**fields["answer"])
    if fields.get("action") is not None:
        fields["action"] = ActionFault(**fields["action"])
    return Fault(**fields)
