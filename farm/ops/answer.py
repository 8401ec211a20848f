"""How a command answers: values as JSON or for people, refusals as a sentence and exit code 1."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from typing import Annotated, TypeAlias

import typer
from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

PIPED_WIDTH = 200


class Trouble(Exception):  # noqa: N818  (it reads as what it is: `raise Trouble(...)`)
    """The command was refused or found trouble; `sentence` says what to do. Exit code 1."""

    def __init__(self, sentence: str, *, code: str = "trouble", field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a program reads of a Trouble; `field` is "" where no single input is to blame."""

    error: str
    code: str
    field: str


@contextmanager
def answering(*, as_json: bool) -> Iterator[None]:
    """Turn a Trouble raised inside into its sentence on standard error and exit code 1."""
    try:
        yield
    except Trouble as trouble:
        if as_json:
            print_json(Refusal(trouble.sentence, trouble.code, trouble.field))
        typer.echo(trouble.sentence, err=True)
        raise typer.Exit(1) from None


def new_app(help_text: str) -> typer.Typer:
    """An application for one entry of farm.__main__."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=False,
        add_completion=False,
        pretty_exceptions_enable=False,
    )


def console() -> Console:
    """Standard output for people: in a pipe no colours and no narrow window.

    Square brackets are text: a member's agent may be called "[/bold]".
    """
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return Console(width=width, highlight=False, markup=False)


def print_json(value: object) -> None:
    """One line: dataclasses as objects, times in ISO 8601, translations as text."""
    typer.echo(json.dumps(value, default=_plain, ensure_ascii=False))


def _plain(value: object) -> Json:
    if is_dataclass(value) and not isinstance(value, type):
        plain: Json = asdict(value)
        return plain
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
