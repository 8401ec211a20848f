"""`farm billing pays|unfreeze|wallets|top-ups`: how payers pay, and what they paid in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from django.utils import timezone

from farm.accounts.models import Door
from farm.accounts.permissions import Action, demand
from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer, Refund, TopUp
from farm.billing.freezing import unfreeze as let_go_on
from farm.billing.models import Payer
from farm.billing.payer_kinds import set_payer_kind
from farm.billing.refunds import left_of
from farm.billing.transfers import CENT
from farm.ops.agent_views import money, new_table
from farm.ops.answer import AsJson, Trouble, console, print_json
from farm.ops.people import ActingAs, operating
from farm.ops.refusing import serving

PayerArgument = Annotated[str, typer.Argument(metavar="PAYER", help="Its uid, or its name.")]


@dataclass(frozen=True, slots=True)
class WalletRow:
    """One payer that pays through Stripe; net micro-euros."""

    payer: str
    uid: str
    kind: str
    left_micros: int
    held_micros: int
    stage: str
    frozen: str
    card: str
    automatic_cents: int


@dataclass(frozen=True, slots=True)
class TopUpRow:
    """Money paid in, or asked for; cents."""

    uid: str
    payer: str
    asked_at: str
    state: str
    automatic: bool
    net_cents: int
    tax_cents: int
    refundable_cents: int
    refunds: list[str]


def pays(
    payer: PayerArgument,
    kind: Annotated[
        Payer.Kind, typer.Argument(metavar="KIND", help="internal, wallet or invoice.")
    ],
    *,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Have a payer pay in advance (wallet), by the month (invoice), or nothing (internal)."""
    with serving(as_json=as_json):
        actor = operating(email)
        demand(actor, Action.OPERATE_FARM)
        changed = set_payer_kind(actor=actor, door=Door.CLI, payer=payer_named(payer), kind=kind)
        if as_json:
            print_json({"payer": changed.uid, "kind": changed.kind})
        else:
            typer.echo(f"{changed} is now {changed.get_kind_display()}.")


def unfreeze(payer: PayerArgument, *, email: ActingAs = "", as_json: AsJson = False) -> None:
    """Let a payer spend again although its bank called a payment into question."""
    with serving(as_json=as_json):
        actor = operating(email)
        demand(actor, Action.OPERATE_FARM)
        found = payer_named(payer)
        let_go_on(actor=actor, door=Door.CLI, payer=found)
        if as_json:
            print_json({"payer": found.uid})
        else:
            typer.echo(f"{found} may spend again.")


def wallets(*, email: ActingAs = "", as_json: AsJson = False) -> None:
    """List who pays through Stripe: what is left, what is set aside, how they stand."""
    with serving(as_json=as_json):
        demand(operating(email), Action.OPERATE_FARM)
        paying = Customer.objects.exclude(payer__kind=Payer.Kind.INTERNAL)
        found = paying.select_related("payer__account").order_by("payer__name", "pk")
        rows = [_wallet(customer) for customer in found]
        if as_json:
            print_json(rows)
            return
        table = new_table("Payer", "Uid", "Kind", "Left", "Set aside", "Stands", "Card")
        for row in rows:
            sums = (money(row.left_micros, "EUR"), money(row.held_micros, "EUR"))
            stands = f"frozen ({row.frozen})" if row.frozen else row.stage
            table.add_row(row.payer, row.uid, row.kind, *sums, stands, row.card)
        console().print(table)


def top_ups(
    payer: Annotated[str, typer.Argument(metavar="[PAYER]", help="Its uid, or its name.")] = "",
    *,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """List what was paid in, the newest first, and what of it could still be given back."""
    with serving(as_json=as_json):
        demand(operating(email), Action.OPERATE_FARM)
        found = TopUp.objects.select_related("customer__payer__account").order_by("-pk")
        if payer:
            found = found.filter(customer__payer=payer_named(payer))
        rows = [_top_up(one) for one in found]
        if as_json:
            print_json(rows)
            return
        table = new_table(
            "Uid", "Payer", "Asked", "State", "Net", "VAT", "Refundable", "Given back"
        )
        for row in rows:
            cents = (row.net_cents, row.tax_cents, row.refundable_cents)
            sums = (money(one * CENT, "EUR") for one in cents)
            table.add_row(
                row.uid, row.payer, row.asked_at[:16], row.state, *sums, "; ".join(row.refunds)
            )
        console().print(table)


def payer_named(which: str) -> Payer:
    """The payer of that uid or name; Trouble for none, and for several."""
    payers = Payer.objects.select_related("account")
    found = list(payers.filter(uid=which)) or list(payers.filter(name__iexact=which))
    if len(found) == 1:
        return found[0]
    if found:
        uids = ", ".join(payer.uid for payer in found)
        raise Trouble(f"Several are called {which[:80]}: {uids}.", code="several", field="payer")
    sentence = f"There is no payer {which[:80]}: `farm billing payers` lists them."
    raise Trouble(sentence, code="unknown", field="payer")


def _wallet(customer: Customer) -> WalletRow:
    payer = customer.payer
    balance = balance_of(payer, timezone.now())
    return WalletRow(
        payer=str(payer),
        uid=payer.uid,
        kind=payer.kind,
        left_micros=balance.left,
        held_micros=balance.held,
        stage=customer.stage,
        frozen=customer.frozen_why if customer.frozen_at else "",
        card=customer.card_name,
        automatic_cents=customer.automatic_cents,
    )


def _top_up(one: TopUp) -> TopUpRow:
    return TopUpRow(
        uid=one.uid,
        payer=str(one.customer.payer),
        asked_at=one.asked_at.isoformat(),
        state=one.state,
        automatic=one.automatic,
        net_cents=one.cents,
        tax_cents=one.tax_cents,
        refundable_cents=left_of(one) if one.state == TopUp.State.PAID else 0,
        refunds=[_refund(row) for row in one.refunds.order_by("pk")],
    )


def _refund(row: Refund) -> str:
    said = f"{money(row.cents * CENT, 'EUR')} {row.get_state_display()}"
    return f"{said}: {row.trouble}" if row.trouble else said


COMMANDS = (pays, unfreeze, wallets, top_ups)
