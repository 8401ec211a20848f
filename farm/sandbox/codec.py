"""Frozen dataclasses to JSON text and back, by their annotations."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import TypeVar, Union, cast, get_args, get_origin, get_type_hints

from farm.sandbox.wire import Json

T = TypeVar("T")


def to_text(record: object) -> str:
    """The record as one JSON object."""
    return json.dumps(_plain(record), separators=(",", ":"))


def from_text(kind: type[T], text: str) -> T:
    """The record of that kind; TypeError or ValueError if the text is another's."""
    return cast(T, _typed(kind, json.loads(text)))


def _plain(value: object) -> Json:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a record holds no {type(value).__name__}")


def _typed(kind: object, value: Json) -> object:
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (one for one in get_args(kind) if one is not type(None))
        return None if value is None else _typed(kind, value)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_typed(get_args(kind)[0], item) for item in value)
    if kind is datetime:
        return datetime.fromisoformat(str(value))
    if isinstance(kind, type) and is_dataclass(kind) and isinstance(value, Mapping):
        hints = _hints(kind)
        return kind(**{name: _typed(hints[name], item) for name, item in value.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return value


@cache
def _hints(kind: type) -> dict[str, object]:
    return get_type_hints(kind)
