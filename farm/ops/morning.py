"""`farm` alone: the operator's morning, in under a second, waiting for no cloud."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import typer
from django.utils import timezone
from rich.console import Console
from rich.text import Text

from farm.agents.selectors.morning import Agreement, Money, Morning, NightLine, Spent, morning_at
from farm.billing.amounts import cents, per_hour
from farm.catalog import catalog
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
    for words in (
        *_money_lines(told.money),
        _agreement_line(told.agreement),
        _clouds_line(told),
        *_pool_lines(told),
        *_kept_lines(told),
    ):
        out.print(Text(words))
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
    words = (
        f"{fleet.answering} answering, {fleet.asleep} asleep, {fleet.on_the_way} on the way,"
        f" {fleet.down} down"
    )
    return Text(words, style="bold" if fleet.down else "")


def _money_lines(money: Money) -> Iterator[str]:
    yield f"Yesterday {_spent(money.yesterday)}"
    yield f"This month {_spent(money.month)}, by its end {_spent(money.forecast)}"
    yield (
        f"To be charged on {_sum(money.charged_on)}; the clouds charge"
        f" {_sum(money.difference)} more, which is the farm's"
    )


def _agreement_line(found: Agreement) -> str:
    if found.read_to is None:
        return "Books and clouds have not been compared yet"
    return f"Books and clouds are {_sum(found.apart_micros)} apart, compared to {found.read_to:%F}"


def _spent(spent: Spent) -> str:
    return f"{_sum(spent.total)} (machines {_sum(spent.machines)}, AI {_sum(spent.ai)})"


def _sum(micros: int) -> str:
    return cents(micros, catalog().currency)


def _clouds_line(told: Morning) -> str:
    used = [f"{number} at {name}" for name, number in sorted(told.clouds.in_use.items())]
    full = f"; full: {', '.join(told.clouds.full)}" if told.clouds.full else ""
    nobodys = f", {told.clouds.orphans} orphans" if told.clouds.orphans else ", no orphans"
    return f"Machines: {', '.join(used) or 'none'}{full}{nobodys}"


def _pool_lines(told: Morning) -> Iterator[str]:
    for pool in told.pools:
        costs = f"{per_hour(pool.hourly_micros, pool.currency)} an hour now"
        month = f"{cents(pool.monthly_micros, pool.currency)} a month"
        ready = f"Kept ready: {pool.ready} of {pool.wanted} {pool.plan} in {pool.region}"
        yield f"{ready}, {costs}, {month} as set, the farm's own cost"


def _kept_lines(told: Morning) -> Iterator[str]:
    kept, own = told.kept, told.rescues
    last, restored = _when(kept.last_at), _when(kept.restored_at)
    yield f"Backups of {kept.agents} agents, the last one {last}; last restored {restored}"
    rows = f", {own.drill_rows} rows came back" if own.drill_at else ""
    drill = f"{_when(own.drill_at)}{rows}"
    yield f"Last backup of the farm itself {_when(own.backup_at)}; last restore drill {drill}"


def _when(at: datetime | None) -> str:
    return f"{at:%F %H:%M} UTC" if at else "never"


def _night_words(line: NightLine) -> str:
    whom = line.name if line.agents == 1 else f"{line.agents} agents, {line.name} last"
    return f"{line.sentence.what} ({whom})"
