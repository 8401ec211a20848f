"""What a request to the relay is: who sends it, from where, and which call it carries."""

from __future__ import annotations

from django.conf import settings
from starlette.requests import ClientDisconnect, Request

from farm.agents.selectors.relay import (
    Caller,
    KeyWithdrawn,
    UnknownKey,
    WrongMachine,
    caller_with,
)
from farm.relay.database import Database
from farm.relay.dialects.base import Asked
from farm.relay.refusing import No
from farm.relay.routes import Route
from farm.relay.wire import BadCall, read_object

MOST_BYTES = 32 * 1024 * 1024


async def caller_of(request: Request, route: Route, database: Database) -> Caller:
    """The agent that calls; No for everybody else."""
    shown = route.dialect.key(request.headers, request.query_params)
    try:
        caller = await database.ask(caller_with, shown, address_of(request))
    except UnknownKey:
        raise No(401, "This key is not one of the relay's, or it was revoked.") from None
    except KeyWithdrawn:
        raise No(403, "The key that this agent shared was revoked: tell its owner.") from None
    except WrongMachine:
        raise No(403, "This key works from its agent's own machine only.") from None
    if caller.provider != route.provider:
        raise No(404, f"This agent's model is one of {caller.provider}: call it by that path.")
    return caller


async def asked_in(request: Request, route: Route) -> Asked:
    """The call in the body; No with a sentence for one that the relay does not carry."""
    content = await _body(request)
    try:
        asked = route.dialect.asked(read_object(content), request.path_params.get("tail", ""))
    except BadCall as bad:
        raise No(400, str(bad)) from None
    if not asked.model or len(asked.model) > 120 or not asked.model.isprintable():
        raise No(400, "Name a model.")
    return asked


def address_of(request: Request) -> str:
    """Who called, by the proxy's own word where there is a proxy; else the peer itself."""
    if settings.RELAY_CLIENT_HEADER:
        return request.headers.get(settings.RELAY_CLIENT_HEADER, "").strip()
    return request.client.host if request.client else ""


async def _body(request: Request) -> bytes:
    """At most MOST_BYTES, whatever its length is said to be."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise No(413, f"A call has at most {MOST_BYTES // 1024 // 1024} MiB.")
    except ClientDisconnect:
        raise No(400, "The call ended before it was whole.") from None
    return bytes(body)
