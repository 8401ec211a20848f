"""JSON as it travels: one type for it, and reading what others sent without trust."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from aiohttp import web

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]

_INTEGER = re.compile(r"-?[0-9]{1,19}")


class BadRequestError(Exception):
    """What was sent cannot be used; the message is a sentence that says what to send."""


async def read_object(request: web.Request) -> JsonObject:
    """The JSON object in the request's body; BadRequestError if there is none."""
    try:
        body: Json = json.loads(await request.read() or b"{}")
    except (ValueError, RecursionError):
        raise BadRequestError("The body is not JSON: send one JSON object.") from None
    if not isinstance(body, Mapping):
        raise BadRequestError("The body is not a JSON object: send {...}.")
    return body


def text_of(fields: JsonObject, name: str, default: str | None = None) -> str:
    """A string (numbers are taken as one); BadRequestError without it and without a default."""
    value = fields.get(name)
    if isinstance(value, str):
        return _storable(name, value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value is None and default is not None:
        return default
    raise BadRequestError(f"{name} is missing or no text: send a string.")


def integer_of(fields: JsonObject, name: str, default: int | None = None) -> int:
    """A whole number of up to 63 bits, also when sent as text, or the default where none is sent.

    BadRequestError for anything else.
    """
    value = fields.get(name)
    if value is None and default is not None:
        return default
    number = int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value
    if isinstance(number, int) and not isinstance(number, bool) and abs(number) < 2**63:
        return number
    raise BadRequestError(f"{name} is missing or no whole number: send one.")


def _storable(name: str, value: str) -> str:
    """JSON can carry halves of characters that no file and no page can."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadRequestError(f"{name} has characters that are none: send UTF-8.") from None
    return value


def number_of(fields: JsonObject, name: str) -> float:
    """A number; BadRequestError without it."""
    value = fields.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise BadRequestError(f"{name} is missing or no number: send one.")


def flag_of(fields: JsonObject, name: str) -> bool:
    """True only for JSON's true."""
    return fields.get(name) is True


def objects_of(fields: JsonObject, name: str) -> tuple[JsonObject, ...]:
    """A list of objects; what is no object in it is left out, and no list is an empty one."""
    value = fields.get(name)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return tuple(item for item in value if isinstance(item, Mapping))


def object_of(fields: JsonObject, name: str) -> JsonObject:
    """An object; anything else is an empty one."""
    value = fields.get(name)
    return value if isinstance(value, Mapping) else {}


def answer(body: Json, status: int = 200) -> web.Response:
    """A JSON response."""
    return web.json_response(body, status=status)
