"""`farm billing`: statements, payers, limits and the meter on the command line."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from farm.accounts.models import Account, Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.selectors import members_of
from farm.accounts.services import account_of
from farm.agents.reconciler.metering import meter as run_meter
from farm.agents.selectors import account_month, month_statement, payers_in
from farm.agents.services import change_payer
from farm.billing.models import Payer
from farm.billing.papers import file_name, statement_pdf
from farm.billing.services import add_payer, set_limit
from farm.billing.statements import Statement
from farm.billing.tables import hours_csv, statement_csv
from farm.ops.agent_views import money, new_table
from farm.ops.answer import AsJson, Trouble, console, new_app, print_json
from farm.ops.bill_commands import COMMANDS as BILL_COMMANDS
from farm.ops.billing_views import (
    ledger_rows,
    limit_rows,
    payer_row,
    plain_statement,
    print_statement,
)
from farm.ops.finding import agent_called
from farm.ops.payer_commands import COMMANDS as PAYER_COMMANDS
from farm.ops.people import ActingAs, acting
from farm.ops.reconcile_commands import export, import_invoice, reconcile
from farm.ops.refusing import serving

app = new_app("What is used, who pays for it, and what they let it cost.")

EVERYBODY = "everybody"
"""Whose limit is for all agents of a payer together."""
Month = Annotated[str, typer.Option(help="Such as 2026-11; this month unless given.")]
WhichPayer = Annotated[str, typer.Option("--payer", help="Its name or uid; the default one.")]


@app.callback()
def billing() -> None:
    """What is used, who pays for it, and what they let it cost."""


@app.command()
def statement(
    *,
    month: Month = "",
    payer: WhichPayer = "",
    to: Annotated[
        Path | None, typer.Option(help="Write FILE.pdf or FILE.csv, or FILE.hours.csv.")
    ] = None,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Show what a payer pays for whom in a month, or write it to a file."""
    with serving(as_json=as_json):
        account = _account(acting(email))
        found = month_statement(_payer(account, payer), _month(month), timezone.now())
        if to is not None:
            _write(found, to)
            typer.echo(str(to))
        elif as_json:
            print_json(plain_statement(found))
        else:
            print_statement(found)


@app.command()
def payers(
    *,
    add: Annotated[str, typer.Option(help="Add a payer of this name.")] = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """List the payers of the account with what they pay this month."""
    with serving(as_json=as_json):
        actor = acting(email)
        account = _account(actor)
        if add:
            add_payer(actor=actor, account=account, door=Door.CLI, name=add)
        month = account_month(account, timezone.now())
        rows = [payer_row(one) for one in month.payers]
        if as_json:
            print_json(rows)
            return
        table = new_table("Payer", "Uid", "Kind", "This month")
        for row in rows:
            name = f"{row.name} (default)" if row.default else row.name
            table.add_row(name, row.uid, row.kind, money(row.so_far_micros, "EUR"))
        console().print(table)


@app.command()
def pay(
    which: Annotated[str, typer.Argument(metavar="AGENT", help="Its name or its uid.")],
    *,
    payer: WhichPayer = "",
    cost_centre: Annotated[str, typer.Option(help="The payer's own word.")] = "",
    until: Annotated[str, typer.Option(help="A gift that ends on this day: 2026-12-31.")] = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Have another payer charged for an agent from the next full hour (UTC)."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        changed = change_payer(
            actor=actor,
            door=Door.CLI,
            agent=agent,
            payer_uid=_payer(agent.account, payer).uid,
            cost_centre=cost_centre,
            until=_day(until),
        )
        if as_json:
            print_json({"payer": changed.payer.uid, "from": changed.valid_from})
        else:
            typer.echo(f"{changed.payer.name} pays from {changed.valid_from:%F %H:%M} UTC on.")


@app.command()
def limits(
    *,
    person: Annotated[
        str, typer.Option(help="Set the limit of this e-mail address, or of everybody.")
    ] = "",
    amount: Annotated[str, typer.Option(help="EUR a month, or none.")] = "",
    payer: WhichPayer = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """List the limits of people and payers, or set one with --person and --amount."""
    with serving(as_json=as_json):
        actor = acting(email)
        account = _account(actor)
        if person:
            whom = None if person == EVERYBODY else _member(account, person)
            micros = _micros(amount)
            chosen = _payer(account, payer)
            set_limit(actor=actor, door=Door.CLI, payer=chosen, person=whom, micros=micros)
        rows = limit_rows(account)
        if as_json:
            print_json(rows)
            return
        table = new_table("Person", "Payer", "Limit", "Machines may cost")
        for row in rows:
            sums = (money(row.limit_micros, "EUR"), money(row.committed_micros, "EUR"))
            table.add_row(row.person or EVERYBODY, row.payer, *sums)
        console().print(table)


@app.command()
def meter(*, as_json: AsJson = False) -> None:
    """Write down now what workers write every few minutes; running it twice changes nothing."""
    with serving(as_json=as_json):
        hours = run_meter(timezone.now())
        if as_json:
            print_json({"hours": hours})
        else:
            typer.echo(f"{hours} hours were written down.")


@app.command()
def ledger(*, as_json: AsJson = False) -> None:
    """Show what every payer owes and the clouds are owed; exit 1 if it does not add up."""
    with serving(as_json=as_json):
        rows = ledger_rows()
        if as_json:
            print_json(rows)
        else:
            table = new_table("Book", "Payer", "Balance", "Transfers add up to")
            for row in rows:
                sums = (row.balance_micros, row.summed_micros)
                table.add_row(row.book, row.account, *(money(one, row.currency) for one in sums))
            console().print(table)
        if any(row.balance_micros != row.summed_micros for row in rows):
            raise typer.Exit(1)


for command in (*BILL_COMMANDS, *PAYER_COMMANDS, reconcile, import_invoice, export):
    app.command()(command)


def _account(actor: User) -> Account:
    account = account_of(user=actor)
    demand(actor, Action.MANAGE_MONEY, account)
    return account


def _payer(account: Account, which: str) -> Payer:
    found = payers_in(account)
    for payer in found:
        if which in ("", payer.uid) or payer.name.lower() == which.lower():
            return payer
    known = ", ".join(f"{payer.name} ({payer.uid})" for payer in found)
    raise Trouble(f"There is no payer {which}: there are {known}.", code="unknown", field="payer")


def _member(account: Account, email: str) -> User:
    member = members_of(account).filter(user__email__iexact=email).first()
    if member is None:
        sentence = f"{email} is not in {account}: invite them first."
        raise Trouble(sentence, code="person_unknown", field="person")
    return member.user


def _month(word: str) -> date:
    if not word:
        return timezone.now().date().replace(day=1)
    try:
        return datetime.strptime(word, "%Y-%m").date()  # noqa: DTZ007  (a month has no zone)
    except ValueError:
        raise Trouble("A month is written 2026-11.", code="month", field="month") from None


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(word) if word else None
    except ValueError:
        raise Trouble("A day is written 2026-12-31.", code="until", field="until") from None


def _micros(word: str) -> int | None:
    if word == "none":
        return None
    try:
        return int(Decimal(word) * 1_000_000)
    except (InvalidOperation, ValueError, OverflowError):
        sentence = "Give --amount in euros, such as 25 or 25.50, or none."
        raise Trouble(sentence, code="limit", field="amount") from None


def _write(found: Statement, to: Path) -> None:
    if to.suffix == ".pdf":
        to.write_bytes(statement_pdf(found, timezone.now()))
    elif to.suffix == ".csv":
        to.write_text(hours_csv(found) if to.stem.endswith(".hours") else statement_csv(found))
    else:
        suggested = file_name(found, "pdf")
        raise Trouble(f"Name a .pdf or .csv, such as {suggested}.", code="file", field="to")
