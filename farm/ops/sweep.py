"""`farm sweep`: hold what the clouds charge for against the farm's rows, now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from django.utils import timezone
from rich.table import Table

from farm.accounts.models import Door
from farm.accounts.permissions import Action, demand
from farm.agents.models import ProviderProject
from farm.agents.sentences import sentence_for
from farm.agents.sweeping import Finding, Side, look_at, sweep_now
from farm.ops.agent_views import new_table
from farm.ops.answer import AsJson, Trouble, console, new_app, print_json
from farm.ops.people import ActingAs, operating
from farm.ops.refusing import serving
from provisioning.errors import ProvisioningError

app = new_app("Hold what the clouds charge for against the farm's rows.")
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only tell what would be removed, when and why.")
]


@dataclass(frozen=True, slots=True)
class Swept:
    """What was found; `removed` of it is not at its cloud any more."""

    dry_run: bool
    found: Sequence[Finding]
    removed: Sequence[Finding]


@app.command()
def sweep(*, dry_run: DryRun = False, email: ActingAs = "", as_json: AsJson = False) -> None:
    """Find what costs money and is nobody's, and rows whose machine or copy is no more.

    What is nobody's is watched for a day from when it was first seen, and then removed if it has
    all of the farm's labels. With --dry-run nothing is written and nothing removed.
    """
    with serving(as_json=as_json):
        actor = operating(email)
        demand(actor, Action.OPERATE_FARM)
        projects = list(ProviderProject.objects.order_by("pk"))
        found = _look(projects)
        if not dry_run:
            for project in projects:
                if not sweep_now(actor=actor, door=Door.CLI, project=project):
                    raise _not_swept(project)
        left = found if dry_run else _look(projects)
        swept = Swept(dry_run, found, _gone(found, left))
        if as_json:
            print_json(swept)
        else:
            _show(swept)


def _look(projects: Sequence[ProviderProject]) -> Sequence[Finding]:
    found: list[Finding] = []
    for project in projects:
        try:
            found += look_at(project, timezone.now())
        except ProvisioningError as error:
            raise Trouble(f"{project}: {error}", code=error.code) from error
    return found


def _gone(found: Sequence[Finding], left: Sequence[Finding]) -> Sequence[Finding]:
    still = {(one.project, one.kind, one.location, one.name) for one in left}
    return [
        one
        for one in found
        if one.side is Side.CLOUD and (one.project, one.kind, one.location, one.name) not in still
    ]


def _not_swept(project: ProviderProject) -> Trouble:
    words = sentence_for(project.reason) if project.reason else None
    why = f" {words.what} {project.reason_detail}" if words else " See `farm doctor`."
    return Trouble(f"{project} was not swept.{why}", code=project.reason or "not_swept")


def _show(swept: Swept) -> None:
    if not swept.found:
        typer.echo("Clouds and rows agree: nothing is nobody's, and nothing is missing.")
        return
    console().print(_table(swept))
    hourly = sum(one.hourly_micros for one in swept.found)
    if hourly:
        currency = next(one.currency for one in swept.found if one.currency)
        typer.echo(f"Nobody's in all: {hourly / 1_000_000:.4f} {currency} an hour.")
    if swept.dry_run:
        typer.echo("Nothing was changed.")


def _table(swept: Swept) -> Table:
    table = new_table("Project", "What", "Name", "Place", "An hour", "First seen", "Goes", "Why")
    for one in swept.found:
        table.add_row(
            one.project,
            one.kind,
            one.name,
            one.location,
            f"{one.hourly_micros / 1_000_000:.4f} {one.currency}" if one.hourly_micros else "",
            f"{one.first_seen_at:%F %H:%M}",
            _goes(one, swept),
            one.why,
        )
    return table


def _goes(one: Finding, swept: Swept) -> str:
    if one.side is Side.ROWS:
        return "its owner is told"
    if one in swept.removed:
        return "removed now"
    return f"{one.removed_from:%F %H:%M}" if one.removed_from else "never by itself"
