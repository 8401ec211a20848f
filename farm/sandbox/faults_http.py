"""How HTTP services of the sandbox pass the gate, and the control routes that arm it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields

from aiohttp import web

from farm.sandbox.faults import ActionFault, Answer, Fault, Gate, Passage, Refused, Severed, When
from farm.sandbox.named_faults import SENTENCES, Cloud, FaultName, Wish, fault_of
from farm.sandbox.random_faults import MENDED, Chance
from farm.sandbox.wire import BadRequestError, JsonObject, integer_of, number_of, text_of

Handler = Callable[[Passage], Awaitable[web.StreamResponse]]
Envelope = Callable[[Answer], web.StreamResponse]

EFFECTS = ("signal", "answer", "reset", "hang", "delay", "action", "vanish")
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
    """POST /faults arms one, or each of a list; GET shows them, DELETE clears.

    POST /faults/random takes {"seed", "share", "names", "seconds"}; GET /faults/names has every
    name with a sentence; GET /calls lists the counted calls.
    """

    async def arm(request: web.Request) -> web.Response:
        try:
            raw = await request.json()
            faults = [read_fault(one) for one in (raw if isinstance(raw, list) else [raw])]
        except (ValueError, TypeError) as problem:
            return web.json_response({"error": str(problem)}, status=422)
        ids = [gate.arm(fault) for fault in faults]
        armed = {"ids": ids} if isinstance(raw, list) else {"id": ids[0]}
        return web.json_response(armed, status=201)

    async def draw(request: web.Request) -> web.Response:
        try:
            gate.chance = chance = read_chance(await request.json())
        except (ValueError, TypeError, BadRequestError) as problem:
            return web.json_response({"error": str(problem)}, status=422)
        return web.json_response(_chance_json(chance), status=201)

    async def names(_: web.Request) -> web.Response:
        return web.json_response(dict(SENTENCES))

    async def show(_: web.Request) -> web.Response:
        armed = [{"id": number, **asdict(fault)} for number, fault in gate.armed()]
        chance = _chance_json(gate.chance) if isinstance(gate.chance, Chance) else None
        return web.json_response({"calls": gate.count, "armed": armed, "random": chance})

    async def clear(_: web.Request) -> web.Response:
        gate.clear()
        return web.Response(status=204)

    async def calls(_: web.Request) -> web.Response:
        return web.json_response({"calls": [asdict(call) for call in gate.calls]})

    return [
        web.post("/faults", arm),
        web.get("/faults", show),
        web.delete("/faults", clear),
        web.post("/faults/random", draw),
        web.get("/faults/names", names),
        web.get("/calls", calls),
    ]


def read_fault(raw: object) -> Fault:
    """A fault from its JSON object; ValueError says what to write instead.

    Such as {"signal": 4711, "call": 3, "when": "after"}, or {"kind": "hetzner", "match":
    ["POST /servers"], "answer": {"status": 429, "code": "rate_limit_exceeded", "retry_after": 5}};
    or by its name: {"name": "sold-out", "cloud": "scaleway", "place": "fr-par-1"}.
    """
    if not isinstance(raw, dict):
        raise ValueError("a fault is a JSON object")  # noqa: TRY004
    if "name" in raw:
        return fault_of(read_wish(raw))
    if unknown := set(raw) - set(FIELDS):
        raise ValueError(f"unknown {sorted(unknown)}; a fault has {', '.join(FIELDS)}")
    if sum(1 for effect in EFFECTS if raw.get(effect) is not None) != 1:
        raise ValueError(f"a fault has exactly one of {', '.join(EFFECTS)}")
    given = dict(raw)
    for words in ("match", "unless"):
        given[words] = tuple(given.get(words, ()))
    given["when"] = When(given.get("when", When.BEFORE))
    if given.get("answer") is not None:
        given["answer"] = Answer(**given["answer"])
    if given.get("action") is not None:
        given["action"] = ActionFault(**given["action"])
    return Fault(**given)


def read_wish(raw: JsonObject) -> Wish:
    """A fault by its name, from its JSON object; ValueError says what to write instead."""
    known = {one.name for one in fields(Wish)}
    if unknown := set(raw) - known:
        raise ValueError(f"unknown {sorted(unknown)}; a named fault has {', '.join(sorted(known))}")
    times, match = raw.get("times", 1), raw.get("match", [])
    if not isinstance(match, list) or not (times is None or isinstance(times, int)):
        raise ValueError("match is a list of words, times a whole number or null")
    try:
        return Wish(
            name=FaultName(text_of(raw, "name")),
            cloud=Cloud(text_of(raw, "cloud", Cloud.HETZNER)),
            server_type=text_of(raw, "server_type", ""),
            place=text_of(raw, "place", ""),
            server=text_of(raw, "server", ""),
            match=tuple(str(word) for word in match),
            call=integer_of(raw, "call", 1),
            times=times,
            seconds=number_of({"seconds": 0, **raw}, "seconds"),
        )
    except BadRequestError as problem:
        raise ValueError(str(problem)) from None


def read_chance(raw: object) -> Chance:
    """Faults at random from their JSON object; ValueError says what to write instead."""
    if not isinstance(raw, dict):
        raise ValueError("send a JSON object")  # noqa: TRY004
    names = raw.get("names") or list(MENDED)
    share = number_of(raw, "share")
    if not isinstance(names, list) or not 0 <= share <= 1:
        raise ValueError("names is a list of names, share a number within 0..1")
    return Chance(
        seed=integer_of(raw, "seed"),
        share=share,
        names=tuple(FaultName(str(name)) for name in names),
        seconds=number_of({"seconds": 2, **raw}, "seconds"),
    )


def _chance_json(chance: Chance) -> JsonObject:
    return {
        "seed": chance.seed,
        "share": chance.share,
        "names": [name.value for name in chance.names],
        "seconds": chance.seconds,
        "struck": chance.struck,
    }
