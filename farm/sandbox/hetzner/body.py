"""What a client sent, read field by field; whatever is wrong is named as the API names it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from farm.sandbox.hetzner.errors import ApiError, invalid_input
from farm.sandbox.hetzner.labels import checked_labels
from farm.sandbox.wire import JsonObject

HOSTNAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
    re.IGNORECASE,
)
MAX_NAME = 128


@dataclass(frozen=True, slots=True)
class Body:
    """The JSON object of a request, or a part of it."""

    fields: JsonObject

    def has(self, name: str) -> bool:
        """Whether the field was given and is not null."""
        return self.fields.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """A string; invalid_input if it is none or missing without a default."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise invalid_input(name, "is required" if value is None else "must be a string")
        return value

    def name(self, default: str | None = None) -> str:
        """The name of a thing; invalid_input if it is empty or too long."""
        name = self.text("name", default)
        if not 0 < len(name) <= MAX_NAME:
            raise invalid_input("name", f"must have 1 to {MAX_NAME} characters")
        return name

    def hostname(self, default: str | None = None) -> str:
        """The name of a server, which is a hostname; invalid_input if it is not."""
        name = self.text("name", default)
        if HOSTNAME.fullmatch(name) is None:
            raise invalid_input("name", "is not a valid hostname")
        return name

    def id_or_name(self, name: str) -> int | str:
        """A thing by either word; invalid_input without it."""
        value = self.fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise invalid_input(name, "is required" if value is None else "must be an ID or a name")
        return value

    def number(self, name: str) -> int:
        """An id; invalid_input without it."""
        value = self.fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid_input(name, "is required" if value is None else "must be an ID")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self.fields.get(name, default)
        if not isinstance(value, bool):
            raise invalid_input(name, "must be true or false")
        return value

    def part(self, name: str) -> Body:
        """An object inside; an empty one if it was not given."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise invalid_input(name, "must be an object")
        return Body(value or {})

    def parts(self, name: str) -> list[Body]:
        """A list of objects; an empty one if it was not given."""
        value = self.fields.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise invalid_input(name, "must be a list of objects")
        return [Body(item) for item in value]

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; an empty one if it was not given."""
        value = self.fields.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid_input(name, "must be a list of strings")
        return tuple(str(item) for item in value)

    def labels(self, default: Mapping[str, str] | None = None) -> dict[str, str]:
        """The labels; those of `default` if none were given."""
        if not self.has("labels"):
            return dict(default or {})
        return checked_labels(self.part("labels").fields)


def read_body(raw: bytes) -> Body:
    """The body of a request; json_error if it is no JSON, an empty object if it is empty."""
    try:
        fields = json.loads(raw) if raw.strip() else {}
    except ValueError:
        raise ApiError(400, "json_error", "invalid JSON input in your request") from None
    if not isinstance(fields, Mapping):
        raise ApiError(400, "json_error", "the JSON input must be an object")
    return Body(fields)
