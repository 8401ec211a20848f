"""Labels and label selectors, as the Hetzner Cloud documents them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from farm.sandbox.hetzner.errors import invalid_input

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
DNS_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
KEY = rf"(?:(?P<prefix>{DNS_LABEL}(?:\.{DNS_LABEL})*)/)?{NAME}"
VALUE = rf"(?:{NAME})?"

_KEY = re.compile(KEY)
_VALUE = re.compile(VALUE)
_PLAIN_KEY = KEY.replace("?P<prefix>", "?:")
_EQUALITY = re.compile(rf"({_PLAIN_KEY})\s*(==|=|!=)\s*({VALUE})")
_MEMBERSHIP = re.compile(rf"({_PLAIN_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_PRESENCE = re.compile(rf"(!?)\s*({_PLAIN_KEY})")
# A comma inside brackets separates values, one outside separates requirements.
_COMMA = re.compile(r",(?![^()]*\))")

Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]


def checked_labels(labels: Mapping[str, object]) -> dict[str, str]:
    """The labels, or invalid_input that names what is wrong with one of them."""
    for key, value in labels.items():
        match = _KEY.fullmatch(key)
        if match is None or len(match["prefix"] or "") > 253:
            raise invalid_input("labels", f"label key '{key}' is not valid")
        if match["prefix"] == "hetzner.cloud":
            raise invalid_input("labels", "the prefix hetzner.cloud/ is reserved")
        if not isinstance(value, str) or _VALUE.fullmatch(value) is None:
            raise invalid_input("labels", f"label value of '{key}' is not valid")
    return {key: str(value) for key, value in labels.items()}


def parse_selector(text: str) -> Requirement:
    """A question to ask labels, always true for an empty text; invalid_input if it is none."""
    parts = [part.strip() for part in _COMMA.split(text)] if text.strip() else []
    requirements = [_requirement(part) for part in parts]
    return lambda labels: all(requirement(labels) for requirement in requirements)


def _requirement(part: str) -> Requirement:
    if match := _MEMBERSHIP.fullmatch(part):
        return _membership(match[1], match[2], match[3])
    if match := _EQUALITY.fullmatch(part):
        return _equality(match[1], match[2], match[3])
    if match := _PRESENCE.fullmatch(part):
        return _presence(match[2], absent=bool(match[1]))
    raise invalid_input("label_selector", f"'{part}' is not a valid requirement")


def _membership(key: str, operator: str, listed: str) -> Requirement:
    values = {value.strip() for value in listed.split(",")}
    if not all(_VALUE.fullmatch(value) for value in values):
        raise invalid_input("label_selector", f"({listed}) is not a valid list of values")
    if operator == "in":
        return lambda labels: key in labels and labels[key] in values
    return lambda labels: key not in labels or labels[key] not in values


def _equality(key: str, operator: str, value: str) -> Requirement:
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value


def _presence(key: str, *, absent: bool) -> Requirement:
    return lambda labels: (key in labels) is not absent
