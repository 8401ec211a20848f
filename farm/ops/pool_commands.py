"""`farm pool`: machines kept ready for whoever asks next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from django.utils import timezone
from rich import box
from rich.table import Table

from farm.accounts.models import Door
from farm.agents.selectors.pool import PoolView, pool_view, pools
from farm.agents.sentences import sentence_for
from farm.agents.services.pool import WEEK, PoolWish, set_pool
from farm.billing.amounts import cents, per_hour
from farm.ops.answer import AsJson, console, new_app, print_json
from farm.ops.people import ActingAs, operating
from farm.ops.refusing import serving

app = new_app("Show and set how many machines are kept ready.")


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Show how many machines are kept ready, and what that costs; `set` changes it."""
    if context.invoked_subcommand is None:
        list_pools(as_json=False)


@app.command("list")
def list_pools(*, as_json: AsJson = False) -> None:
    """Show every pool: what is ready, what is on its way, and what it costs."""
    with serving(as_json=as_json):
        _show(pools(timezone.now()), as_json=as_json)


@app.command("set")
def change(
    plan: Annotated[str, typer.Argument(help="Such as small.")],
    region: Annotated[str, typer.Argument(help="Such as germany.")],
    size: Annotated[int, typer.Argument(help="How many; 0 for none.")],
    *,
    hours: Annotated[str, typer.Option(help="In these hours only, by UTC, as in 8-19.")] = "",
    days: Annotated[str, typer.Option(help="On these days only, as in mon-fri.")] = "",
    follow_demand: Annotated[
        int,
        typer.Option(help="Besides, as many as one hour of late took, up to this number."),
    ] = 0,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Keep that many machines ready from now on: the farm pays for them until they are claimed."""
    with serving(as_json=as_json):
        wish = PoolWish(
            plan, region, size, hours, days, follow_demand=follow_demand > 0, at_most=follow_demand
        )
        pool = set_pool(actor=operating(email), door=Door.CLI, wish=wish)
        _show([pool_view(pool, timezone.now())], as_json=as_json)


def _show(shown: Sequence[PoolView], *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
    elif not shown:
        typer.echo(
            "No machine is kept ready: an agent waits until its own is made."
            " `farm pool set PLAN REGION NUMBER` keeps some."
        )
    else:
        columns = ("Plan", "Region", "When", "Wanted", "Ready", "Coming", "An hour", "A month", "")
        table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in shown:
            table.add_row(*_cells(row))
        console().print(table)


def _cells(row: PoolView) -> tuple[str, ...]:
    return (
        row.plan,
        row.region,
        _when(row),
        str(row.wanted),
        str(row.ready),
        str(row.coming),
        per_hour(row.hourly_micros, row.currency) if row.currency else "",
        cents(row.monthly_micros, row.currency) if row.currency else "",
        str(sentence_for(row.reason).what) if row.reason else "",
    )


def _when(row: PoolView) -> str:
    hours = "" if row.from_hour == row.to_hour else f" {row.from_hour}-{row.to_hour or 24} h UTC"
    days = "always" if len(row.days) == 7 else ",".join(WEEK[int(day)] for day in row.days)
    follows = f", up to {row.at_most} by demand" if row.follow_demand else ""
    return f"{row.size} {days}{hours}{follows}"
