"""How the command line shows money: the same values as tables for people and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import typer
from django.utils import timezone

from farm.accounts.models import Account
from farm.billing.ledger import unequal
from farm.billing.ledger_rows import LedgerAccount
from farm.billing.limits import committed, limits_in
from farm.billing.statements import Statement
from farm.billing.tables import exact
from farm.ops.agent_views import money, new_table
from farm.ops.answer import console


@dataclass(frozen=True, slots=True)
class PayerRow:
    """One payer; money is net, in millionths of a euro."""

    uid: str
    name: str
    kind: str
    default: bool
    so_far_micros: int


@dataclass(frozen=True, slots=True)
class LimitRow:
    """What a person's machines may cost a payer in a month, and what those there may cost."""

    payer: str
    person: str
    limit_micros: int
    committed_micros: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """An account of the ledger: its running total, and what its transfers add up to."""

    account: str
    book: str
    currency: str
    balance_micros: int
    summed_micros: int


def ledger_rows() -> list[LedgerRow]:
    """Every account of the farm's ledger."""
    summed = {found.account.pk: found.summed for found in unequal()}
    return [
        LedgerRow(
            account=row.payer.name if row.payer else "",
            book=row.book,
            currency=row.currency,
            balance_micros=row.balance_micros,
            summed_micros=summed.get(row.pk, row.balance_micros),
        )
        for row in LedgerAccount.objects.select_related("payer").order_by("pk")
    ]


def limit_rows(account: Account) -> list[LimitRow]:
    """Every limit of the account."""
    now = timezone.now()
    return [
        LimitRow(
            payer=limit.payer.name,
            person=limit.person.email if limit.person else "",
            limit_micros=limit.monthly_micros,
            committed_micros=committed(limit.payer, limit.person, now),
        )
        for limit in limits_in(account).values()
    ]


def payer_row(found: Statement) -> PayerRow:
    """One payer with what it pays."""
    payer = found.payer
    return PayerRow(payer.uid, payer.name, payer.kind, payer.is_default, found.total)


def plain_statement(found: Statement) -> dict[str, object]:
    """A statement for programs."""
    return {
        "payer": found.payer.uid,
        "month": f"{found.month:%Y-%m}",
        "currency": found.currency,
        "machine_micros": found.machine,
        "ai_micros": found.ai,
        "fee_micros": found.fee,
        "people": [asdict(person) for person in found.people],
    }


def print_statement(found: Statement) -> None:
    """A statement for people; amounts of agents lose nothing."""
    table = new_table("Person", "Cost centre", "Agent", "Hours", "Machine", "AI", "Fee")
    for person in found.people:
        for agent in person.agents:
            sums = (exact(agent.machine), exact(agent.ai), exact(agent.fee))
            table.add_row(person.email, person.cost_centre, agent.name, str(agent.hours), *sums)
    console().print(table)
    total = money(found.total, found.currency)
    typer.echo(f"{found.payer.name}, {found.month:%Y-%m}: {total} net. A statement, no invoice.")
