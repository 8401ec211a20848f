"""Reading JSON5, the format of the runtime's config: comments, bare keys, trailing commas."""

from __future__ import annotations

import json
import re

from farm.sandbox.wire import Json

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<double>"(?:[^"\\\n]|\\.)*")
    |(?P<single>'(?:[^'\\\n]|\\.)*')
    |(?P<mark>[{}\[\]:,])
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|\d*\.?\d+(?:[eE][-+]?\d+)?))""",
    re.VERBOSE | re.DOTALL,
)
WORDS = frozenset({"true", "false", "null"})


def read_json5(text: str) -> Json:
    """The value; ValueError with a line number where it is none."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            line = text.count("\n", 0, at) + 1
            raise ValueError(f"JSON5: invalid character {text[at]!r} at line {line}")
        at = found.end()
        if found.lastgroup != "space":
            _append(parts, found)
    try:
        value: Json = json.loads("".join(parts))
    except json.JSONDecodeError as error:
        raise ValueError(f"JSON5: {error.msg}") from error
    return value


def _append(parts: list[str], found: re.Match[str]) -> None:
    text = found.group()
    if found.lastgroup == "single":
        inner = text[1:-1].replace("\\'", "'")
        parts.append('"' + re.sub(r'(?<!\\)"', r"\"", inner) + '"')
    elif found.lastgroup == "name" and text not in WORDS:
        parts.append(json.dumps(text))
    elif found.lastgroup == "number":
        parts.append(str(int(text, 16)) if "x" in text.lower() else text.lstrip("+"))
    else:
        if text in "}]" and parts and parts[-1] == ",":
            parts.pop()
        parts.append(text)
