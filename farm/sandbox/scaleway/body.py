"""What a client sent, read field by field; whatever is wrong is named as the API names it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from farm.sandbox.scaleway.errors import ApiError, invalid
from farm.sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Body:
    """The JSON object of a request, or a part of it."""

    fields: JsonObject

    def has(self, name: str) -> bool:
        """Whether the field was given and is not null."""
        return self.fields.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """A string; invalid_arguments if it is none, or missing without a default."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise invalid(name, "required" if value is None else "format")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self.fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise invalid(name, "format")
        return value

    def number(self, name: str, default: int | None = None) -> int | None:
        """A whole number, or the default."""
        value = self.fields.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid(name, "format")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; an empty one if it was not given."""
        value = self.fields.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid(name, "format")
        return tuple(str(item) for item in value)

    def part(self, name: str) -> Body:
        """An object inside; an empty one if it was not given."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise invalid(name, "format")
        return Body(value or {})

    def parts(self, name: str) -> list[Body]:
        """A list of objects; an empty one if it was not given."""
        value = self.fields.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise invalid(name, "format")
        return [Body(item) for item in value]


def read_body(raw: bytes) -> Body:
    """The body of a request; an empty object if it is empty."""
    try:
        fields = json.loads(raw) if raw.strip() else {}
    except ValueError:
        raise ApiError(400, "invalid_request_error", "cannot parse the body") from None
    if not isinstance(fields, Mapping):
        raise ApiError(400, "invalid_request_error", "the body must be an object")
    return Body(fields)
