"""The tree that a shell script is read into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


class ShellSyntaxError(Exception):
    """The script cannot be read; the message is what dash would print after the line number."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Text as it stands; when not quoted, it may hold patterns and a leading tilde."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """$name or ${name op word}; `operator` is "" or one of :- - := = :+ + :? ? # ## % %% length."""

    name: str
    quoted: bool
    operator: str = ""
    word: Word = ()


@dataclass(frozen=True, slots=True)
class Substitution:
    """$(script) or `script`."""

    script: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """$((expression))."""

    expression: Word
    quoted: bool


Part: TypeAlias = Literal | Variable | Substitution | Arithmetic
Word: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """`number` is the file descriptor; `operator` one of < > >> >| <> <& >& <<."""

    number: int
    operator: str
    target: Word


@dataclass(frozen=True, slots=True)
class Simple:
    """Assignments, then a program or function with its arguments."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class If:
    """Conditions with what follows each, and what else."""

    branches: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence | None


@dataclass(frozen=True, slots=True)
class For:
    """for name in words; without `in`, the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Sequence


@dataclass(frozen=True, slots=True)
class While:
    """while, or until when `until`."""

    condition: Sequence
    body: Sequence
    until: bool


@dataclass(frozen=True, slots=True)
class Case:
    """case subject in patterns) body ;; esac."""

    subject: Word
    branches: tuple[tuple[tuple[Word, ...], Sequence], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """{ body; } or, in a subshell of its own, ( body )."""

    body: Sequence
    subshell: bool


@dataclass(frozen=True, slots=True)
class Function:
    """name() body."""

    name: str
    body: Command


@dataclass(frozen=True, slots=True)
class Redirected:
    """A compound command with redirections."""

    command: Command
    redirects: tuple[Redirect, ...]


Command: TypeAlias = Simple | If | For | While | Case | Group | Function | Redirected


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands whose output feeds the next; `negated` by a leading !."""

    commands: tuple[Command, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Pipelines joined by && and ||."""

    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...]
    background: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """Chains one after the other."""

    chains: tuple[Chain, ...]
