"""From words to arguments: variables, substitutions, field splitting, patterns."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from farm.sandbox.guests.simulated.accounts import home_of
from farm.sandbox.guests.simulated.files import Files
from farm.sandbox.guests.simulated.shell.arithmetic import evaluate
from farm.sandbox.guests.simulated.shell.syntax import (
    Arithmetic,
    Literal,
    ShellSyntaxError,
    Substitution,
    Variable,
    Word,
)

PATTERN = re.compile(r"[*?\[]")


class ExpansionError(Exception):
    """A variable is unset where that is an error; the shell ends with the message."""


@dataclass(slots=True)
class Scope:
    """What a shell knows while it runs."""

    variables: dict[str, str]
    exported: set[str]
    positional: list[str]
    name: str
    status: int = 0
    last_background: int = 0
    nounset: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Expanded text; only what is neither quoted nor literal is split into fields."""

    text: str
    quoted: bool
    split: bool = False
    break_after: bool = False


class Expander:
    """Expands words in one scope; `substitute` runs a script and answers its output."""

    def __init__(
        self, scope: Scope, files: Files, substitute: Callable[[str], Awaitable[str]]
    ) -> None:
        self._scope, self._files, self._substitute = scope, files, substitute

    async def fields(self, words: tuple[Word, ...]) -> list[str]:
        """The arguments that these words become."""
        found: list[str] = []
        for word in words:
            for field in fields_of(
                await self._pieces(tilde(word, self._files)), self._separators()
            ):
                found.extend(self._paths(field))
        return found

    async def text(self, word: Word) -> str:
        """The word as one string: no splitting, no patterns."""
        pieces = await self._pieces(tilde(word, self._files))
        return "".join(piece.text + (" " if piece.break_after else "") for piece in pieces)

    async def pattern(self, word: Word) -> str:
        """The word as an fnmatch pattern in which quoted text stands for itself."""
        pieces = await self._pieces(word)
        return "".join(escaped(piece.text) if piece.quoted else piece.text for piece in pieces)

    def _separators(self) -> str:
        return self._scope.variables.get("IFS", " \t\n")

    async def _pieces(self, word: Word) -> list[Piece]:
        pieces: list[Piece] = []
        for part in word:
            if isinstance(part, Literal):
                pieces.append(Piece(part.text, part.quoted))
            elif isinstance(part, Variable):
                pieces.extend(await self._variable(part))
            elif isinstance(part, Substitution):
                output = await self._substitute(part.script)
                pieces.append(Piece(output.rstrip("\n"), part.quoted, split=not part.quoted))
            elif isinstance(part, Arithmetic):
                pieces.append(Piece(await self._arithmetic(part), part.quoted))
        return pieces

    async def _arithmetic(self, part: Arithmetic) -> str:
        expression = await self.text(part.expression)
        try:
            return str(evaluate(expression, self._scope.variables))
        except ValueError as error:
            raise ShellSyntaxError(f"arithmetic expression: {error}: {expression!r}") from error

    async def _variable(self, part: Variable) -> list[Piece]:
        if part.name in {"@", "*"} and not part.operator:
            return self._all_positional(part)
        value = self.value(part.name)
        if part.operator == "length":
            return [Piece(str(len(value or "")), part.quoted)]
        if part.operator.lstrip(":") in {"-", "=", "+", "?"} and part.operator:
            return await self._default(part, value)
        if value is None and self._scope.nounset and part.name not in {"@", "*"}:
            raise ExpansionError(f"{part.name}: parameter not set")
        if part.operator:
            pattern = await self.pattern(part.word)
            value = trimmed(value or "", pattern, part.operator)
        return [Piece(value or "", part.quoted, split=not part.quoted)]

    async def _default(self, part: Variable, value: str | None) -> list[Piece]:
        unset = value is None or (part.operator.startswith(":") and value == "")
        action = part.operator[-1]
        if action == "+":
            return [] if unset else await self._pieces(part.word)
        if not unset:
            return [Piece(value or "", part.quoted, split=not part.quoted)]
        if action == "?":
            why = await self.text(part.word)
            raise ExpansionError(f"{part.name}: {why or 'parameter not set or null'}")
        if action == "=":
            self._scope.variables[part.name] = await self.text(part.word)
        pieces = await self._pieces(part.word)
        return [Piece(p.text, p.quoted or part.quoted, split=not part.quoted) for p in pieces]

    def _all_positional(self, part: Variable) -> list[Piece]:
        given = self._scope.positional
        if part.quoted and part.name == "*":
            return [Piece(self._separators()[:1].join(given), quoted=True)]
        last = len(given) - 1
        return [
            Piece(text, part.quoted, split=not part.quoted, break_after=at < last)
            for at, text in enumerate(given)
        ]

    def value(self, name: str) -> str | None:
        """What a variable or special parameter holds, or None when unset."""
        scope = self._scope
        special = {
            "?": str(scope.status),
            "#": str(len(scope.positional)),
            "$": "4711",
            "!": str(scope.last_background) if scope.last_background else "",
            "-": "",
            "0": scope.name,
            "@": " ".join(scope.positional),
            "*": " ".join(scope.positional),
        }
        if name in special:
            return special[name]
        if name.isdigit():
            at = int(name) - 1
            return scope.positional[at] if at < len(scope.positional) else None
        return scope.variables.get(name)

    def _paths(self, field: list[Piece]) -> list[str]:
        text = "".join(piece.text for piece in field)
        if not any(not piece.quoted and PATTERN.search(piece.text) for piece in field):
            return [text]
        pattern = "".join(escaped(p.text) if p.quoted else p.text for p in field)
        return matches(self._files, pattern) or [text]


def fields_of(pieces: list[Piece], separators: str) -> list[list[Piece]]:
    """Field splitting: pieces grouped into the fields they form."""
    found: list[list[Piece]] = []
    current: list[Piece] = []
    for piece in pieces:
        if not piece.split:
            current.append(piece)
        else:
            current = _split(piece, separators, current, found)
        if piece.break_after:
            found.append(current)
            current = []
    if any(piece.quoted or piece.text for piece in current):
        found.append(current)
    return found


def _split(
    piece: Piece, separators: str, current: list[Piece], found: list[list[Piece]]
) -> list[Piece]:
    """Cut one piece at runs of blank separators and at every other one, as POSIX has it."""
    if not separators:
        return [*current, piece]
    blanks = re.escape("".join(mark for mark in separators if mark.isspace()) or "\0")
    others = re.escape("".join(mark for mark in separators if not mark.isspace()) or "\0")
    at = 0
    for cut in re.finditer(f"[{blanks}]*[{others}][{blanks}]*|[{blanks}]+", piece.text):
        if cut.start() > at:
            current = [*current, Piece(piece.text[at : cut.start()], quoted=False)]
        hard = bool(re.search(f"[{others}]", cut.group()))
        if current or hard:
            found.append(current)
        current, at = [], cut.end()
    rest = piece.text[at:]
    return [*current, Piece(rest, quoted=False)] if rest else current


def tilde(word: Word, files: Files) -> Word:
    """The word with a leading ~ or ~user replaced by that home."""
    if not word or not isinstance(word[0], Literal) or word[0].quoted:
        return word
    text = word[0].text
    if not text.startswith("~"):
        return word
    user, slash, rest = text[1:].partition("/")
    home = home_of(files, user)
    return word if home is None else (Literal(home + slash + rest, quoted=True), *word[1:])


def escaped(text: str) -> str:
    """Text as an fnmatch pattern that matches only itself."""
    return PATTERN.sub(lambda found: f"[{found.group()}]", text)


def trimmed(value: str, pattern: str, operator: str) -> str:
    """${value#pattern} and its three relatives."""
    lengths = range(len(value) + 1)
    front = operator[0] == "#"
    ordered = lengths if len(operator) == 1 else reversed(lengths)
    for length in ordered:
        cut = value[:length] if front else value[len(value) - length :]
        if fnmatch.fnmatchcase(cut, pattern):
            return value[length:] if front else value[: len(value) - length]
    return value


def matches(files: Files, pattern: str) -> list[str]:
    """The existing paths a pattern stands for, sorted; hidden ones only for a leading dot."""
    found = ["/" if pattern.startswith("/") else ""]
    for part in [piece for piece in pattern.split("/") if piece]:
        if PATTERN.search(part):
            found = [
                posixpath.join(base, name) for base in found for name in names(files, base, part)
            ]
        else:
            found = [posixpath.join(base, part) for base in found]
    plain_end = not PATTERN.search(pattern.rsplit("/", 1)[-1])
    return [path for path in found if not plain_end or files.find(path, follow=False)]


def names(files: Files, base: str, part: str) -> list[str]:
    """The names in a directory that one component of a pattern matches."""
    try:
        present = files.entries(base or ".")
    except OSError:
        return []
    return [
        name
        for name in present
        if fnmatch.fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))
    ]
