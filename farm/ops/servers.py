"""`farm servers`: the machines at the clouds, and what costs money there and is nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from farm.accounts.models import Door
from farm.agents.selectors import MachineView, OrphanView, machines
from farm.agents.selectors import orphans as orphans_seen
from farm.agents.services import remove_orphans
from farm.ops.answer import AsJson, Trouble, console, new_app, print_json
from farm.ops.people import ActingAs, operating
from farm.ops.refusing import serving
from provisioning.errors import ProvisioningError

app = new_app("Show the machines, and what at the clouds is nobody's.")


@dataclass(frozen=True, slots=True)
class Removed:
    """What was ordered to end, each in words."""

    removed: Sequence[str]


@app.callback()
def servers() -> None:
    """Show the machines, and what at the clouds is nobody's."""


@app.command("list")
def list_servers(*, as_json: AsJson = False) -> None:
    """Show every machine that is not gone, with what an hour of it costs."""
    with serving(as_json=as_json):
        there = machines()
    if as_json:
        print_json(there)
        return
    table = _table("Machine", "Agent", "Cloud", "Type", "Place", "State", "IPv4", "An hour")
    for row in there:
        table.add_row(*_cells(row))
    console().print(table)


@app.command()
def orphans(
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Have them removed now.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Show what carries the farm's label at a cloud and has no row, and what an hour of it costs.

    What carries all of the farm's labels is removed by itself once it was watched for a day.
    """
    with serving(as_json=as_json):
        seen = orphans_seen()
        if remove:
            _remove(seen, email, ask=not yes, as_json=as_json)
        elif as_json:
            print_json(seen)
        elif seen:
            console().print(_orphans_table(seen))
        else:
            typer.echo("Nothing at the clouds is nobody's, as of their last lists.")


def _remove(seen: Sequence[OrphanView], email: str, *, ask: bool, as_json: bool) -> None:
    ours = [row for row in seen if row.removed_from]
    if not ours:
        raise Trouble("There is nothing to remove.", code="no_orphans")
    if ask and not as_json:
        console().print(_orphans_table(ours))
        typer.confirm(f"Remove these {len(ours)} for good?", abort=True)
    elif ask:
        raise Trouble("Say --yes: what is removed is gone for good.", code="unconfirmed")
    actor = operating(email)
    try:
        removed = remove_orphans(actor=actor, door=Door.CLI, wanted=[row.pk for row in ours])
    except ProvisioningError as error:
        raise Trouble(f"A cloud refuses: {error}", code=error.code) from error
    if as_json:
        print_json(Removed(removed))
    else:
        typer.echo("\n".join(f"Removed: {one}." for one in removed) or "All were gone already.")


def _cells(row: MachineView) -> Sequence[str]:
    price = _hour(row.hourly_micros, row.currency)
    return (
        row.name,
        row.agent,
        row.provider,
        row.server_type,
        row.location,
        row.phase,
        row.ipv4,
        price,
    )


def _orphans_table(seen: Sequence[OrphanView]) -> Table:
    table = _table("What", "Name", "Cloud", "Place", "An hour", "First seen", "Removed from")
    for row in seen:
        removed = f"{row.removed_from:%F %H:%M}" if row.removed_from else "never by itself"
        price = _hour(row.hourly_micros, row.currency)
        first = f"{row.first_seen_at:%F %H:%M}"
        table.add_row(row.kind, row.name, row.provider, row.location, price, first, removed)
    total = _hour(sum(row.hourly_micros for row in seen), seen[0].currency)
    table.add_row("", "In all", "", "", total, "", "")
    return table


def _table(*columns: str) -> Table:
    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)


def _hour(micros: int, currency: str) -> str:
    return f"{micros / 1_000_000:.4f} {currency}"
