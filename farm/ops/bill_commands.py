"""`farm billing preview|close|bills|replay|refund|correct`: the operator's money by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer
from django.utils import timezone

from farm.accounts.models import Door
from farm.accounts.permissions import Action, demand
from farm.agents.reconciler.bill_rounds import all_seen
from farm.agents.reconciler.metering import meter
from farm.billing.amounts import cents
from farm.billing.bill_credits import credit_bill
from farm.billing.bill_drafts import drafts_of
from farm.billing.bill_rows import Bill
from farm.billing.bill_services import close_by_hand, replay_one, replay_since
from farm.billing.corrections import correct as correct_payer
from farm.billing.customer_rows import TopUp
from farm.billing.refunds import left_of, refund_top_up
from farm.billing.statements import month_before
from farm.billing.transfers import CENT
from farm.ops.agreeing import ask
from farm.ops.amounts import micros_in
from farm.ops.answer import AsJson, Trouble, print_json
from farm.ops.bill_views import (
    bill_row,
    draft_row,
    print_bills,
    print_closed,
    print_drafts,
    print_replayed,
    refund_row,
)
from farm.ops.payer_commands import payer_named
from farm.ops.people import ActingAs, operating
from farm.ops.refusing import serving

Month = Annotated[str, typer.Option(help="Such as 2026-11; the last one that is over.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept for good.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def preview(*, month: Month = "", email: ActingAs = "", as_json: AsJson = False) -> None:
    """Show the bills that closing a month would make; nothing is written."""
    with serving(as_json=as_json):
        demand(operating(email), Action.OPERATE_FARM)
        rows = [draft_row(draft) for draft in drafts_of(_month(month))]
        if as_json:
            print_json(rows)
        else:
            print_drafts(rows)


def close(
    *, month: Month = "", yes: Yes = False, email: ActingAs = "", as_json: AsJson = False
) -> None:
    """Make the bills of a month that is over and have them sent; doing it twice changes nothing."""
    with serving(as_json=as_json):
        actor, which, now = operating(email), _month(month), timezone.now()
        demand(actor, Action.OPERATE_FARM)
        if not all_seen(which) and not yes:
            said = f"Not every cloud was read since {which:%Y-%m}: what it tells is billed later."
            ask(said, "Close it?", "close it all the same", "Nothing was closed.")
        meter(now)
        bills = close_by_hand(actor=actor, door=Door.CLI, month=which, now=now)
        rows = [bill_row(bill) for bill in bills]
        if as_json:
            print_json(rows)
        else:
            print_closed(rows, which)


def bills(
    *,
    month: Annotated[str, typer.Option(help="Such as 2026-11; all unless given.")] = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """List the bills of trusted payers, and how each stands."""
    with serving(as_json=as_json):
        demand(operating(email), Action.OPERATE_FARM)
        found = Bill.objects.select_related("payer__account").order_by("-month", "payer__name")
        rows = [bill_row(bill) for bill in (found.filter(month=_month(month)) if month else found)]
        if as_json:
            print_json(rows)
        else:
            print_bills(rows)


def replay(
    which: Annotated[
        str, typer.Argument(metavar="[ID]", help="One event, or one thing, by its id at Stripe.")
    ] = "",
    *,
    since: Annotated[str, typer.Option(help="All events from this day on: 2026-11-20.")] = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Look again at what Stripe told of, two days back unless said; nothing counts twice."""
    with serving(as_json=as_json):
        actor, now = operating(email), timezone.now()
        if which:
            replayed = [replay_one(actor=actor, door=Door.CLI, which=which, now=now)]
        else:
            begin = _since(since, now)
            replayed = list(replay_since(actor=actor, door=Door.CLI, since=begin, now=now))
        if as_json:
            print_json(replayed)
        else:
            print_replayed(replayed)


def refund(
    which: Annotated[str, typer.Argument(metavar="WHAT", help="A bill or a top-up, by its uid.")],
    amount: Annotated[
        str, typer.Argument(metavar="[EUR]", help="With VAT; all that is left unless given.")
    ] = "",
    *,
    reason: Reason = "",
    yes: Yes = False,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Give a part of a bill or a top-up back, to where it came from, with a credit note."""
    with serving(as_json=as_json):
        actor = operating(email)
        demand(actor, Action.OPERATE_FARM)
        wanted = micros_in(amount, "EUR") // CENT if amount else 0
        thing = _paid(which)
        if not yes:
            said = f"{cents(wanted * CENT, 'EUR') if wanted else 'All'} of {thing} goes back."
            ask(said, "Give it back?", "give it back", "Nothing was given back.")
        if isinstance(thing, Bill):
            row = refund_row(
                credit_bill(actor=actor, door=Door.CLI, bill=thing, cents=wanted, reason=reason)
            )
        else:
            all_of_it = wanted or left_of(thing)
            row = refund_row(
                refund_top_up(
                    actor=actor, door=Door.CLI, top_up=thing, cents=all_of_it, reason=reason
                )
            )
        if as_json:
            print_json(row)
        else:
            typer.echo(f"{cents(row.cents * CENT, 'EUR')} go back; a worker sees to it.")


def correct(
    payer: Annotated[str, typer.Argument(metavar="PAYER", help="Its uid, or its name.")],
    amount: Annotated[str, typer.Argument(metavar="EUR", help="Net, as in 12.50.")],
    *,
    charge: Annotated[
        bool, typer.Option("--charge", help="It owes so much more, instead of less.")
    ] = False,
    reason: Reason = "",
    yes: Yes = False,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Write down that a payer owes less, or more: at once in a wallet, or on the next bill."""
    with serving(as_json=as_json):
        actor = operating(email)
        demand(actor, Action.OPERATE_FARM)
        whom, micros = payer_named(payer), micros_in(amount, "EUR")
        spelled = cents(micros, "EUR")
        word = "owes {} more" if charge else "owes {} less"
        said = f"{whom} {word.format(spelled)}, net. Nobody can undo it but by another correction."
        if not yes:
            ask(said, "Write it down?", "write it down", "Nothing was written down.")
        signed = micros if charge else -micros
        made = correct_payer(actor=actor, door=Door.CLI, payer=whom, micros=signed, reason=reason)
        if as_json:
            print_json({"payer": whom.uid, "micros": signed, "source": made.source})
        else:
            typer.echo(f"{whom} {word.format(spelled)}.")


COMMANDS = (preview, close, bills, replay, refund, correct)


def _month(word: str) -> date:
    if not word:
        return month_before(timezone.now().astimezone(UTC).date().replace(day=1))
    try:
        return datetime.strptime(word, "%Y-%m").date()  # noqa: DTZ007  (a month has no zone)
    except ValueError:
        raise Trouble("A month is written 2026-11.", code="month", field="month") from None


def _since(word: str, now: datetime) -> datetime:
    if not word:
        return now - timedelta(days=2)
    try:
        return datetime.strptime(word, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Trouble("A day is written 2026-11-20.", code="since", field="since") from None


def _paid(which: str) -> Bill | TopUp:
    bill = Bill.objects.select_related("payer__account").filter(uid=which).first()
    top_up = TopUp.objects.select_related("customer__payer").filter(uid=which).first()
    thing = bill or top_up
    if thing is None:
        sentence = f"There is no bill and no top-up {which[:40]}: `farm billing bills` lists bills."
        raise Trouble(sentence, code="unknown", field="what")
    return thing
