"""`farm billing reconcile|import-invoice|export`: whether the books agree, and for other books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand, may
from farm.accounts.services import account_of
from farm.agents.inventory import inventory_at
from farm.agents.reconciler.reconciliations import Look, reconcile_day
from farm.agents.reconciler.reconciliations import reconcile as reconcile_months
from farm.billing.amounts import cents, to_the_micro
from farm.billing.cloud_invoices import Imported
from farm.billing.cloud_invoices import import_invoice as keep_invoice
from farm.billing.difference_words import as_row, sentence_of
from farm.billing.differences import settled_until
from farm.billing.exports import month_rows, write_csv
from farm.billing.journal import journal_rows
from farm.billing.reconciliation_rows import Difference
from farm.billing.statements import CURRENCY
from farm.ops.answer import AsJson, Trouble, console, print_json
from farm.ops.people import ActingAs, acting, operating
from farm.ops.refusing import serving

Month = Annotated[str, typer.Option(help="Such as 2026-11.")]


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One difference for programs; amounts net, in millionths of a euro."""

    side: str
    provider: str
    subject: str
    kind: str
    month: str
    hours: int
    other_hours: int | None
    micros: int
    other_micros: int
    sentence: str


def reconcile(
    *,
    month: Month = "",
    day: Annotated[str, typer.Option(help="One day, such as 2026-11-23.")] = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Hold the books against machines, clouds and the ledger; exit 1 if anything differs."""
    now = timezone.now()
    with serving(as_json=as_json):
        demand(operating(email), Action.OPERATE_FARM)
        look = _look(month, day, now)
    rows = [as_row(gap) for gap in look.outcome.gaps]
    if as_json:
        print_json(_plain(look, rows))
    else:
        _show(look, rows)
    raise typer.Exit(1 if rows else 0)


def import_invoice(
    file: Annotated[Path, typer.Argument(help="Hetzner's itemised CSV, or a plain one.")],
    *,
    provider: Annotated[
        str, typer.Option(help="Whose it is; hetzner unless the file says so itself.")
    ] = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Keep what a cloud's invoice says, and tell where its months end; twice changes nothing."""
    now = timezone.now()
    with serving(as_json=as_json):
        actor = operating(email)
        demand(actor, Action.OPERATE_FARM)
        found = keep_invoice(
            actor=actor,
            door=Door.CLI,
            name=file.name,
            raw=_bytes_of(file),
            provider=provider,
            inventory=inventory_at(now, settled_until(now)),
            now=now,
        )
        if as_json:
            print_json(found)
        else:
            for one in found:
                typer.echo(_told(one))


def export(
    *,
    month: Month = "",
    to: Annotated[Path | None, typer.Option(help="Write every line to FILE.csv.")] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Write the accountant's journal to FILE.csv.")
    ] = None,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Write a month's lines to the hour, or the ledger as an accountant's journal."""
    with serving(as_json=as_json):
        actor = operating(email) if journal else acting(email)
        which = _month(month) or timezone.now().date().replace(day=1)
        path = journal or to
        if path is None or (journal and to):
            raise Trouble("Give --to FILE.csv or --journal FILE.csv.", code="file", field="to")
        if journal:
            demand(actor, Action.OPERATE_FARM)
            written = _write(path, journal_rows(which))
        else:
            written = _write(path, month_rows(which, _whose(actor)))
        if as_json:
            print_json({"file": str(path), "rows": written})
        else:
            typer.echo(f"{path}: {written} rows")


def _look(month: str, day: str, now: datetime) -> Look:
    if month and day:
        raise Trouble("Give --month or --day, not both.", code="day", field="day")
    if not day:
        which = _month(month)
        if which and which > now.date():
            raise Trouble(f"{month} has not begun.", code="month", field="month")
        return reconcile_months(now, which)
    which = _day(day)
    if which >= settled_until(now).date():
        sentence = f"{day} is not over yet: its last hours are written two hours after its end."
        raise Trouble(sentence, code="day", field="day")
    return reconcile_day(which, now)


def _show(look: Look, rows: Sequence[Difference]) -> None:
    out, outcome = console(), look.outcome
    for row in rows:
        out.print(f"✗ {sentence_of(row)}", style="bold red")
    clouds = f"; charges read: {', '.join(outcome.clouds)}" if outcome.clouds else ""
    waiting = f"; waiting for their cloud's list: {len(outcome.waiting)}" if outcome.waiting else ""
    said = f"machines and copies compared: {len(outcome.compared)}{waiting}{clouds}"
    total = sum(abs(row.micros - row.other_micros) for row in rows)
    apart = to_the_micro(total, CURRENCY) if rows else cents(0, CURRENCY)
    out.print(f"{apart} of difference; {said}", style="" if rows else "dim")
    if look.trouble:
        out.print(f"Not compared: {look.trouble}", style="yellow")


def _plain(look: Look, rows: Sequence[Difference]) -> dict[str, object]:
    outcome = look.outcome
    return {
        "compared": len(outcome.compared),
        "waiting": sorted(outcome.waiting),
        "clouds": list(outcome.clouds),
        "trouble": look.trouble,
        "differences": [
            DifferenceRow(
                side=row.side,
                provider=row.provider,
                subject=row.subject,
                kind=row.kind,
                month=f"{row.month:%Y-%m}",
                hours=row.hours,
                other_hours=row.other_hours,
                micros=row.micros,
                other_micros=row.other_micros,
                sentence=sentence_of(row),
            )
            for row in rows
        ],
    }


def _told(one: Imported) -> str:
    months = ", ".join(f"{month:%Y-%m}" for month in one.months)
    known = "was known already, nothing changed" if one.known else "is kept"
    amount = cents(one.micros, one.currency)
    lines = f"{one.lines} lines, {one.not_ours} of them of nothing of this farm's"
    return f"{one.provider} {months}: {amount} net in {lines}, {known}. {one.verdict}"


def _whose(actor: User) -> str | None:
    """Everybody's for whoever runs the farm, else the account's own."""
    if may(actor, Action.OPERATE_FARM):
        return None
    account = account_of(user=actor)
    demand(actor, Action.MANAGE_MONEY, account)
    return account.uid


def _write(path: Path, rows: Iterable[Sequence[str]]) -> int:
    if path.suffix != ".csv":
        raise Trouble(f"{path} is no .csv: name one.", code="file", field="to")
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("w", newline="", encoding="utf-8") as to:
            written = write_csv(rows, to)
        draft.replace(path)
    except OSError as error:
        raise Trouble(f"{path} cannot be written: {error.strerror}.", code="file") from None
    finally:
        draft.unlink(missing_ok=True)
    return written


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        sentence = f"{file} cannot be read: {error.strerror}."
        raise Trouble(sentence, code="file", field="file") from None


def _month(word: str) -> date | None:
    if not word:
        return None
    try:
        return date.fromisoformat(f"{word}-01")
    except ValueError:
        raise Trouble("A month is written 2026-11.", code="month", field="month") from None


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise Trouble("A day is written 2026-11-23.", code="day", field="day") from None
