"""`farm prices`: what a cloud told its operator about prices to come, and whom that is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from farm.accounts.models import Door
from farm.agents.services.prices import PriceWish, announce_price
from farm.billing.amounts import per_hour
from farm.billing.models import Kind
from farm.billing.price_change_rows import PriceChange
from farm.ops.agent_views import new_table
from farm.ops.answer import AsJson, Trouble, console, new_app, print_json
from farm.ops.people import ActingAs, operating
from farm.ops.refusing import serving

app = new_app("Tell of a cloud's change of prices.")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change; `told_at` and `applied_at` are None until then."""

    provider: str
    server_type: str
    location: str
    kind: str
    valid_from: datetime
    hourly_micros: int
    monthly_micros: int | None
    currency: str
    told_at: datetime | None
    applied_at: datetime | None


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Show the changes of prices that were told; `change` tells of another one."""
    if context.invoked_subcommand is None:
        list_changes(as_json=False)


@app.command("list")
def list_changes(*, as_json: AsJson = False) -> None:
    """Show every change, the newest first."""
    with serving(as_json=as_json):
        rows = [_row(change) for change in PriceChange.objects.order_by("-valid_from", "-pk")]
        if as_json:
            print_json(rows)
        else:
            _show(rows)


@app.command("change")
def change(
    place: Annotated[str, typer.Argument(help="A cloud and a place of it, as in hetzner/nbg1.")],
    server_type: Annotated[str, typer.Argument(help="Such as cx23.")],
    day: Annotated[str, typer.Argument(help="From when on, by UTC, as in 2027-01-31.")],
    hourly: Annotated[str, typer.Argument(help="EUR an hour, net, as in 0.0091.")],
    *,
    monthly: Annotated[str, typer.Option(help="EUR a month at most, where there is one.")] = "",
    address: Annotated[bool, typer.Option(help="It is the price of its IPv4 address.")] = False,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Tell of a price that a cloud takes of what exists: by mail now, and charged from that day."""
    with serving(as_json=as_json):
        provider, _, location = place.partition("/")
        wish = PriceWish(
            provider=provider,
            server_type=server_type,
            location=location,
            day=_day(day),
            hourly=_price(hourly),
            monthly=_price(monthly) if monthly else None,
            kind=Kind.IPV4 if address else Kind.SERVER,
        )
        row = _row(announce_price(actor=operating(email), door=Door.CLI, wish=wish))
        if as_json:
            print_json(row)
        else:
            _show([row])
            typer.echo("Whoever has an agent there is told by mail within minutes.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Trouble(f"{text} is no day: write it as in 2027-01-31.") from None


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal(-1)
    if not price.is_finite() or not 0 <= price < 100_000:
        raise Trouble(f"{text} is no price: write it as in 0.0091.")
    return price


def _row(one: PriceChange) -> ChangeRow:
    return ChangeRow(
        provider=one.provider,
        server_type=one.server_type,
        location=one.location,
        kind=one.kind,
        valid_from=one.valid_from,
        hourly_micros=one.hourly_micros,
        monthly_micros=one.monthly_micros,
        currency=one.currency,
        told_at=one.told_at,
        applied_at=one.applied_at,
    )


def _show(rows: list[ChangeRow]) -> None:
    table = new_table("From", "What", "Where", "An hour", "Told", "In force")
    for row in rows:
        table.add_row(
            f"{row.valid_from:%Y-%m-%d}",
            f"{row.server_type} {row.kind}",
            f"{row.provider} {row.location}",
            per_hour(row.hourly_micros, row.currency),
            "yes" if row.told_at else "soon",
            "yes" if row.applied_at else "no",
        )
    console().print(table)
