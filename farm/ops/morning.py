"""`farm` alone: the operator's morning, in under a second, waiting for no cloud."""

from __future__ import annotations

import typer
from django.utils import timezone
from rich.console import Console
from rich.text import Text

from farm.agents.selectors.morning import Morning, NightLine, morning_at
from farm.ops.answer import AsJson, console, new_app, print_json
from farm.ops.refusing import serving

app = new_app("What is to be done, how the fleet is, what it costs, what the night brought.")


@app.command()
def morning(*, as_json: AsJson = False) -> None:
    """Tell what is to be done, how the fleet is, what it costs; exit 1 if something is to do."""
    with serving(as_json=as_json):
        told = morning_at(timezone.now())
    if as_json:
        print_json(told)
    else:
        _show(told, console())
    raise typer.Exit(1 if told.todos else 0)


def _show(told: Morning, out: Console) -> None:
    if told.todos:
        out.print(_todos(told))
    else:
        out.print(Text("Nothing is to be done.", style="dim"))
    out.print(_fleet_line(told))
    for line in told.night:
        out.print(Text(f"{line.last_at:%H:%M}  {_night_words(line)}", style="dim"))


def _todos(told: Morning) -> Text:
    lines = Text()
    for todo in told.todos:
        lines.append("✗ ", style="bold red")
        lines.append(f"{todo.sentence}\n", style="bold")
        lines.append(f"  {todo.command}\n", style="cyan")
    return lines


def _fleet_line(told: Morning) -> Text:
    fleet = told.fleet
    words = f"{fleet.answering} answering, {fleet.on_the_way} on the way, {fleet.down} down"
    return Text(words, style="bold" if fleet.down else "")


def _night_words(line: NightLine) -> str:
    whom = line.name if line.agents == 1 else f"{line.agents} agents, {line.name} last"
    return f"{line.sentence.what} ({whom})"
