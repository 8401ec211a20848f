"""Hostile text made harmless: for YAML, for systemd's environment files, and for a screen."""

from __future__ import annotations

import json
import re
import unicodedata

from provisioning.errors import Rejected

_YAML_UNSAFE = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, scrolling
    r"|\x1b[PX^_\]].*?(?:\x1b\\|\x07|\Z)"  # strings: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]"  # two-character sequences
    r"|\x9b[0-?]*[ -/]*[@-~]",  # the eight-bit CSI
    re.DOTALL,
)
_SYSTEMD_SPECIAL = re.compile(r'["\\$`]')
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def yaml_scalar(value: object) -> str:
    """`value` (text, a whole number or a truth) as one double-quoted or plain YAML flow scalar.

    Lone surrogates have no bytes in UTF-8 and raise Rejected.
    """
    if isinstance(value, bool | int):
        return json.dumps(value)
    if not isinstance(value, str):
        raise TypeError(f"A template may print text, numbers and truths, not {type(value)}.")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Rejected("bad_text", "This text holds half a character; type it again.")
    return _YAML_UNSAFE.sub(_yaml_escape, json.dumps(value, ensure_ascii=False))


def _yaml_escape(match: re.Match[str]) -> str:
    return f"\\U{ord(match.group()):08x}"


def environment_line(name: str, value: str) -> str:
    """One line of a systemd EnvironmentFile. Control characters raise Rejected."""
    if any(unicodedata.category(letter) == "Cc" for letter in value):
        raise Rejected("bad_secret", "This key or token holds a line break or control character.")
    escaped = _SYSTEMD_SPECIAL.sub(r"\\\g<0>", value)
    return f'{name}="{escaped}"\n'


def plain(text: str | bytes, *, limit: int = 4000) -> str:
    """Untrusted text for people: no terminal escapes, nothing invisible, the last `limit` letters.

    Line breaks and tabs stay.
    """
    letters = text.decode(errors="replace") if isinstance(text, bytes) else text
    bare = _ESCAPES.sub("", letters.replace("\r\n", "\n"))
    seen = (x for x in bare if x in "\n\t" or unicodedata.category(x) not in _HIDDEN)
    return "".join(seen)[-limit:]
