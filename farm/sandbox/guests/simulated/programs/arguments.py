"""Reading a program's options the way getopt does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType


class UsageError(Exception):
    """The arguments make no sense to the program; `code` is how it ends."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Given:
    """Options by their short name (or long one, if they have no other), and what is no option."""

    flags: set[str] = field(default_factory=set)
    values: dict[str, list[str]] = field(default_factory=dict)
    operands: list[str] = field(default_factory=list)

    def value(self, name: str, default: str = "") -> str:
        """The last value given for an option."""
        return self.values.get(name, [default])[-1]

    def has(self, *names: str) -> bool:
        """Whether any of these flags was given."""
        return any(name in self.flags for name in names)


def read(
    arguments: Sequence[str],
    flags: str = "",
    valued: str = "",
    long: Mapping[str, str] = NONE,
    *,
    stop_early: bool = False,
) -> Given:
    """Sort `arguments`. `flags` and `valued` are short options without and with a value.

    `long` maps a long option to the short one it means, or to itself; one that ends in "=" takes
    a value. With `stop_early` the first operand ends the options. UsageError for an unknown one.
    """
    given, rest = Given(), list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            break
        if argument.startswith("--"):
            _long(given, argument[2:], rest, long)
        elif argument.startswith("-") and len(argument) > 1:
            _short(given, argument[1:], rest, (flags, valued))
        else:
            given.operands.append(argument)
            if stop_early:
                break
    given.operands.extend(rest)
    return given


def _short(given: Given, letters: str, rest: list[str], known: tuple[str, str]) -> None:
    flags, valued = known
    for at, letter in enumerate(letters):
        if letter in valued:
            value = letters[at + 1 :] or (rest.pop(0) if rest else None)
            if value is None:
                raise UsageError(f"option requires an argument -- '{letter}'")
            given.values.setdefault(letter, []).append(value)
            return
        if letter not in flags:
            raise UsageError(f"invalid option -- '{letter}'")
        given.flags.add(letter)


def _long(given: Given, text: str, rest: list[str], long: Mapping[str, str]) -> None:
    name, equals, value = text.partition("=")
    if name in long:
        given.flags.add(long[name])
        return
    short = long.get(f"{name}=")
    if short is None:
        raise UsageError(f"unrecognized option '--{name}'")
    if not equals:
        if not rest:
            raise UsageError(f"option '--{name}' requires an argument")
        value = rest.pop(0)
    given.values.setdefault(short, []).append(value)


def octal(text: str) -> int:
    """A mode such as 0755."""
    try:
        return int(text, 8)
    except ValueError:
        raise UsageError(f"invalid mode: '{text}'") from None


def mode_of(text: str, present: int, *, directory: bool = False) -> int:
    """A mode as chmod takes it, octal or symbolic (u=rwX,g-w,o=), applied to `present`."""
    if text[:1].isdigit():
        return octal(text)
    for clause in text.split(","):
        present = _symbolic(clause, present, directory=directory)
    return present


def _symbolic(clause: str, present: int, *, directory: bool) -> int:
    at = next((i for i, char in enumerate(clause) if char in "+-="), None)
    if at is None:
        raise UsageError(f"invalid mode: '{clause}'")
    who, operator, letters = clause[:at] or "a", clause[at], clause[at + 1 :]
    classes = "ugo" if "a" in who else who
    executable = directory or present & 0o111
    bits = sum(
        {"r": 4, "w": 2, "x": 1, "X": 1 if executable else 0}.get(c, 0) for c in set(letters)
    )
    mask, wanted = 0, 0
    for name in classes:
        shift = {"u": 6, "g": 3, "o": 0}[name]
        mask |= 7 << shift
        wanted |= bits << shift
    special = (0o1000 if "t" in letters else 0) | (
        0o4000 if "s" in letters and "u" in classes else 0
    )
    if operator == "=":
        return present & ~mask | wanted | special
    return present | wanted | special if operator == "+" else present & ~(wanted | special)
