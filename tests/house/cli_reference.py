"""Writes docs/cli.md from the commands themselves: python -m tests.house.cli_reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from farm.__main__ import ENTRIES, app, load

PATH = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
WIDE = {"COLUMNS": "96", "TERMINAL_WIDTH": "96", "TERM": "dumb", "NO_COLOR": "1"}
HEAD = """# Command line

Exit codes: 0 done, 1 refused or trouble found, 2 wrong usage. With `--json` a command prints one
line for programs; what was refused is then `{"error": ..., "code": ..., "field": ...}`. The page is
written by `python -m tests.house.cli_reference`.
"""


def reference() -> str:
    """The whole page."""
    return "".join((HEAD, *(_section(words) for words in _commands())))


def _commands() -> Iterator[tuple[str, ...]]:
    yield ()
    for entry in ENTRIES:
        yield from _under((entry.name,), get_command(load(entry)))


def _under(words: tuple[str, ...], command: object) -> Iterator[tuple[str, ...]]:
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from _under((*words, name), inner)


def _section(words: tuple[str, ...]) -> str:
    shown = CliRunner().invoke(app, [*words, "--help"], prog_name="farm", env=WIDE)
    lines = "\n".join(line.rstrip() for line in shown.stdout.strip("\n").splitlines())
    return f"\n## {' '.join(('farm', *words))}\n\n```\n{lines.strip()}\n```\n"


if __name__ == "__main__":
    PATH.write_text(reference())
