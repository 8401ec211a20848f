"""How the command line shows bills: the same values as tables for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import typer

from farm.billing.bill_credits import left_of
from farm.billing.bill_drafts import Draft
from farm.billing.bill_dunning import sentence_of
from farm.billing.bill_rows import Bill, BillCredit
from farm.billing.bill_services import Replayed
from farm.billing.bill_sums import Item
from farm.billing.customer_rows import Refund
from farm.billing.tables import exact
from farm.billing.transfers import CENT
from farm.ops.agent_views import money, new_table
from farm.ops.answer import console


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of a bill; exact micro-euros, and cents rounded once. No agent: brought over."""

    agent: str
    name: str
    month: str
    machine_micros: int
    ai_micros: int
    fee_micros: int
    micros: int
    cents: int


@dataclass(frozen=True, slots=True)
class DraftRow:
    """What a bill would be; `carried_micros` go on to the next one."""

    payer: str
    name: str
    month: str
    net_cents: int
    carried_micros: int
    items: Sequence[ItemRow]


@dataclass(frozen=True, slots=True)
class RefundRow:
    """What was asked to go back; cents with VAT."""

    uid: str
    cents: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class BillRow:
    """A bill; `left_cents`, with VAT, are not given back."""

    uid: str
    payer: str
    name: str
    month: str
    state: str
    sentence: str
    net_cents: int
    tax_cents: int
    left_cents: int
    number: str
    page: str
    trouble: str
    credits: Sequence[RefundRow]


def draft_row(draft: Draft) -> DraftRow:
    """A bill that is not made yet."""
    return DraftRow(
        payer=draft.payer.uid,
        name=str(draft.payer),
        month=f"{draft.month:%Y-%m}",
        net_cents=draft.net_cents,
        carried_micros=draft.carried_micros,
        items=[_item_row(item) for item in draft.items],
    )


def bill_row(bill: Bill) -> BillRow:
    """A bill as it is now."""
    return BillRow(
        uid=bill.uid,
        payer=bill.payer.uid,
        name=str(bill.payer),
        month=f"{bill.month:%Y-%m}",
        state=bill.state,
        sentence=str(sentence_of(bill)),
        net_cents=bill.net_cents,
        tax_cents=bill.tax_cents,
        left_cents=left_of(bill),
        number=bill.number,
        page=bill.page,
        trouble=bill.trouble,
        credits=[refund_row(one) for one in bill.credits.order_by("pk")],
    )


def refund_row(asked: BillCredit | Refund) -> RefundRow:
    """A part of a bill, or of a top-up."""
    return RefundRow(asked.uid, asked.cents, asked.state, asked.reason)


def print_drafts(rows: Sequence[DraftRow]) -> None:
    """Bills to come for people; amounts of agents lose nothing."""
    table = new_table("Payer", "Agent", "Machine", "AI", "Fee", "Item")
    for row in rows:
        for item in row.items:
            sums = (exact(one) for one in (item.machine_micros, item.ai_micros, item.fee_micros))
            agent = item.name or "brought over"
            table.add_row(row.name, agent, *sums, money(item.cents * CENT, "EUR"))
    console().print(table)
    for row in rows:
        typer.echo(f"{row.name}, {row.month}: {money(row.net_cents * CENT, 'EUR')} before VAT.")
    if not rows:
        typer.echo("There is no bill to make: every trusted payer has its own, or there is none.")


def print_bills(rows: Sequence[BillRow]) -> None:
    """Bills for people."""
    table = new_table("Bill", "Payer", "Month", "Net", "VAT", "How it stands")
    for row in rows:
        sums = (money(one * CENT, "EUR") for one in (row.net_cents, row.tax_cents))
        stands = row.trouble or row.sentence
        table.add_row(row.uid, row.name, row.month, *sums, stands)
    console().print(table)


def print_closed(rows: Sequence[BillRow], month: date) -> None:
    """What closing has made."""
    if rows:
        print_bills(rows)
    typer.echo(
        f"{len(rows)} bills of {month:%Y-%m} were made; those with something to pay are sent."
    )


def print_replayed(rows: Sequence[Replayed]) -> None:
    """What was looked at again."""
    table = new_table("Event", "Thing", "Id", "Now", "Learnt")
    for row in rows:
        table.add_row(row.event, row.kind, row.subject, row.state, "yes" if row.learnt else "later")
    console().print(table)
    typer.echo(f"{len(rows)} things were looked at again.")


def _item_row(item: Item) -> ItemRow:
    part = item.part
    return ItemRow(
        agent=part.agent_uid,
        name=part.name,
        month=f"{part.month:%Y-%m}",
        machine_micros=part.machine,
        ai_micros=part.ai,
        fee_micros=part.fee,
        micros=item.micros,
        cents=item.cents,
    )
