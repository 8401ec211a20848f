"""Unit files as systemd reads them: sections, repeated keys, drop-ins, quoting in commands."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from farm.sandbox.guests.simulated.disk import NodeKind
from farm.sandbox.guests.simulated.files import Files

FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")
SPANS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}


@dataclass(slots=True)
class Unit:
    """A loaded unit: every value of every key, by "Section.Key"."""

    name: str
    path: str
    values: dict[str, list[str]] = field(default_factory=dict)
    masked: bool = False

    def all(self, key: str) -> list[str]:
        """Every value of "Section.Key", in order."""
        return self.values.get(key, [])

    def last(self, key: str, default: str = "") -> str:
        """The value that counts where a key may be given once."""
        return (self.all(key) or [default])[-1]

    def names(self, key: str) -> list[str]:
        """A list of unit names or words."""
        return " ".join(self.all(key)).split()

    def yes(self, key: str) -> bool:
        """A boolean."""
        return self.last(key).lower() in {"1", "yes", "true", "on"}

    def seconds(self, key: str, default: float) -> float:
        """A time span such as 30, 5min or 1h 30s."""
        text = self.last(key)
        parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text)
        if not parts:
            return default
        return sum(float(number) * SPANS.get(span, 1.0) for number, span in parts)

    def commands(self, key: str) -> list[str]:
        """The command lines of an Exec key."""
        return self.all(key)


def full_name(name: str) -> str:
    """`ssh` is `ssh.service`."""
    known = (".service", ".socket", ".target", ".timer", ".mount", ".path", ".swap", ".slice")
    return name if name.endswith(known) else f"{name}.service"


def load_unit(files: Files, name: str) -> Unit | None:
    """The unit with its drop-ins, or None if there is no such file."""
    for folder in FOLDERS:
        path = f"{folder}/{name}"
        link = files.find(path, follow=False)
        if link is None:
            continue
        if link.kind is NodeKind.SYMLINK and link.content == b"/dev/null":
            return Unit(name, path, masked=True)
        unit = Unit(name, path)
        _read(unit, files.text(path))
        _drop_ins(unit, files)
        return unit
    return None


def _drop_ins(unit: Unit, files: Files) -> None:
    for folder in reversed(FOLDERS):
        place = f"{folder}/{unit.name}.d"
        if files.is_dir(place):
            for entry in files.entries(place):
                if entry.endswith(".conf"):
                    _read(unit, files.text(f"{place}/{entry}"))


def _read(unit: Unit, text: str) -> None:
    section = ""
    for line in text.replace("\\\n", " ").splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1]
            continue
        key, equals, value = stripped.partition("=")
        if not equals:
            continue
        name = f"{section}.{key.strip()}"
        if value.strip() == "":
            unit.values[name] = []
        else:
            unit.values.setdefault(name, []).append(value.strip())


@dataclass(frozen=True, slots=True)
class CommandLine:
    """An Exec line: its words, and the prefixes - (failure is fine) and + or ! (as root)."""

    argv: list[str]
    may_fail: bool
    as_root: bool


def command_line(text: str, env: dict[str, str]) -> CommandLine:
    """Split a command as systemd does, with ${VARIABLE} and $VARIABLE from `env`."""
    prefix = re.match(r"[-+!:@]*", text)
    marks = prefix.group() if prefix is not None else ""
    words: list[str] = []
    for word in shlex.split(text[len(marks) :]):
        alone = re.fullmatch(r"\$(\w+)", word)
        if alone:
            words.extend(env.get(alone.group(1), "").split())
        else:
            found = re.sub(r"\$\{(\w+)\}", lambda m: env.get(m.group(1), ""), word)
            words.append(found.replace("$$", "$").replace("%%", "%"))
    return CommandLine(words, "-" in marks, "+" in marks or "!" in marks)


def environment_file(text: str) -> dict[str, str]:
    """KEY=value lines; comments, blank lines and quotes as systemd takes them."""
    found: dict[str, str] = {}
    for line in text.replace("\\\n", "").splitlines():
        stripped = line.strip()
        name, equals, value = stripped.partition("=")
        if equals and stripped[0] not in "#;":
            found[name.strip()] = unquoted(value.strip())
    return found


def unquoted(value: str) -> str:
    """A value without the quotes around it."""
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r'\\(["\\$`])', r"\1", value[1:-1])
    return re.sub(r"\\(.)", r"\1", value)


def environment(values: list[str]) -> dict[str, str]:
    """Environment= lines: several assignments each, quoted as a whole where they hold spaces."""
    pairs = (pair.partition("=") for value in values for pair in shlex.split(value))
    return {name: text for name, equals, text in pairs if equals}
