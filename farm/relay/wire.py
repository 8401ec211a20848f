"""JSON as a stranger sent it, read without trust."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]
MOST_TOKENS = 10**9


class BadCall(Exception):  # noqa: N818
    """The relay does not carry this call; the message is a sentence that says why."""


def read_object(content: bytes) -> JsonObject:
    """The JSON object in a body; BadCall without one."""
    try:
        body: Json = json.loads(content)
    except (ValueError, RecursionError):
        raise BadCall("The body is not JSON: send one JSON object.") from None
    if not isinstance(body, Mapping):
        raise BadCall("The body is not a JSON object: send {...}.")
    return body


def maybe_object(content: bytes | str) -> JsonObject:
    """The object that an upstream sent; an empty one for anything else."""
    try:
        body: Json = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, Mapping) else {}


def packed(body: Json) -> bytes:
    """JSON without blanks."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(
        errors="surrogatepass"
    )


def object_in(fields: JsonObject, name: str) -> JsonObject:
    """The object of that name; an empty one for anything else."""
    value = fields.get(name)
    return value if isinstance(value, Mapping) else {}


def objects_in(fields: JsonObject, name: str) -> tuple[JsonObject, ...]:
    """The objects in the list of that name."""
    value = fields.get(name)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return tuple(item for item in value if isinstance(item, Mapping))


def text_in(fields: JsonObject, name: str) -> str:
    """The string of that name, "" for anything else."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def count_in(fields: JsonObject, name: str) -> int:
    """A number of tokens that a provider told: 0 for what is none; BadCall for a monstrous one."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return 0
    if value > MOST_TOKENS:
        raise BadCall("That many tokens were never read.")
    return value


def limit_in(fields: JsonObject, name: str) -> int | None:
    """How many tokens the caller wants at most; None where it did not say; BadCall for nonsense."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MOST_TOKENS:
        raise BadCall(f"{name} is no number of tokens: send a whole number above 0.")
    return value


def objects_within(value: Json, closed: Set[str] = frozenset()) -> Iterator[JsonObject]:
    """Every object at any depth but below the names in `closed`; a body may be nested deeply."""
    waiting: list[Json] = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, Mapping):
            yield inner
            waiting.extend(found for name, found in inner.items() if name not in closed)
        elif isinstance(inner, Sequence) and not isinstance(inner, str):
            waiting.extend(inner)
