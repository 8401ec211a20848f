"""A request's form with nested keys (a[b][0][c]=d), read field by field as the API names faults."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from farm.sandbox.stripe.errors import invalid, missing, unknown

Tree = Mapping[str, "str | Tree"]
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_INTEGER = re.compile(r"-?[0-9]{1,15}")
MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500
LONGEST = 5000
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent, or the part of it below `name`."""

    fields: Tree = field(default_factory=dict)
    name: str = ""

    def path(self, name: str) -> str:
        """How the API calls that field in an error."""
        return f"{self.name}[{name}]" if self.name else name

    def has(self, name: str) -> bool:
        """Whether it was sent, be it empty."""
        return name in self.fields

    def only(self, *known: str) -> None:
        """parameter_unknown for a field that is none of these."""
        for name in self.fields:
            if name not in (*known, "expand"):
                raise unknown(self.path(name))

    def text(self, name: str, default: str | None = None) -> str:
        """A string; an error if it is missing without a default, or is no string."""
        value = self.fields.get(name)
        if value is None:
            if default is None:
                raise missing(self.path(name))
            return default
        if not isinstance(value, str):
            raise invalid(self.path(name), "must be a string", "parameter_invalid_string_empty")
        if len(value) > LONGEST:
            raise invalid(self.path(name), f"must be at most {LONGEST} characters")
        return value

    def choice(self, name: str, choices: Iterable[str], default: str | None = None) -> str:
        """One of these words."""
        value, known = self.text(name, default), tuple(choices)
        if value not in known:
            raise invalid(self.path(name), f"must be one of {', '.join(known)}")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        value = self.text(name, None if default is None else str(default))
        if not _INTEGER.fullmatch(value):
            sentence = f"Invalid integer: {value}"
            raise invalid(self.path(name), sentence, "parameter_invalid_integer")
        return int(value)

    def cents(self, name: str, *, least: int = 1) -> int:
        """An amount of money."""
        value = self.integer(name)
        if not least <= value <= 99_999_999:
            code = "amount_too_small" if value < least else "amount_too_large"
            raise invalid(self.path(name), f"must be {least} to 99999999", code)
        return value

    def decimal(self, name: str) -> Decimal:
        """A number with decimals."""
        try:
            value = Decimal(self.text(name))
        except InvalidOperation:
            raise invalid(self.path(name), "must be a decimal") from None
        if not value.is_finite() or abs(value) > 99_999_999:
            raise invalid(self.path(name), "must be a decimal")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false."""
        return self.choice(name, ("true", "false"), str(default).lower()) == "true"

    def when(self, name: str) -> datetime | None:
        """A moment in seconds since 1970; None if it was not sent."""
        if not self.has(name):
            return None
        try:
            return datetime.fromtimestamp(self.integer(name), UTC)
        except (ValueError, OverflowError, OSError):
            raise invalid(self.path(name), "must be a timestamp") from None

    def part(self, name: str) -> Form:
        """An object inside; an empty one if it was not sent."""
        value = self.fields.get(name, {})
        if isinstance(value, str):
            if value:
                raise invalid(self.path(name), "must be an object", "parameter_invalid_object")
            value = {}
        return Form(value, self.path(name))

    def parts(self, name: str) -> tuple[Form, ...]:
        """A list of objects, by their places."""
        inner = self.part(name)
        return tuple(inner.part(place) for place in inner.fields)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        inner = self.part(name)
        return tuple(inner.text(place) for place in inner.fields)

    def metadata(self, known: Mapping[str, str] | None = None) -> dict[str, str]:
        """The keys known already with what was sent; an empty value takes a key out."""
        if self.fields.get("metadata") == "":
            return {}
        sent = self.part("metadata")
        merged = dict(known or {}) | {key: sent.text(key) for key in sent.fields}
        kept = {key: value for key, value in merged.items() if value}
        for key, value in kept.items():
            if len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
                raise invalid(sent.path(key), "is too long: keys have 40 characters, values 500")
        if len(kept) > MOST_METADATA:
            raise invalid("metadata", f"has more than {MOST_METADATA} keys")
        return kept


def read_form(pairs: Iterable[tuple[str, str]]) -> Form:
    """The tree that the pairs of a form or of a query mean."""
    root: dict[str, str | Tree] = {}
    for key, value in pairs:
        _plant(root, _steps(key), value, key)
    return Form(root)


def _steps(key: str) -> list[str]:
    found = _KEY.fullmatch(key)
    steps = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])] if found else []
    if not 0 < len(steps) <= DEEPEST:
        raise invalid(key, "is written as no parameter", "parameter_unknown")
    return steps


def _plant(root: dict[str, str | Tree], steps: list[str], value: str, key: str) -> None:
    here = root
    for step in steps[:-1]:
        below = here.setdefault(step or str(len(here)), {})
        if not isinstance(below, dict):
            raise invalid(key, "is an object and a string at once")
        here = below
    here[steps[-1] or str(len(here))] = value
