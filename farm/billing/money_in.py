"""What a payment changes once it came, and once it went back: the ledger, and its payer's row."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from farm.bell import ring
from farm.billing.bill_sums import half_up
from farm.billing.customer_rows import Customer, Paper, TopUp
from farm.billing.ledger_rows import Book, Transfer
from farm.billing.transfers import CENT, Side, move, of_payer

HOUSE, VAT, KEPT = Side(Book.HOUSE), Side(Book.VAT), Side(Book.KEPT)


@transaction.atomic
def paid_in(top_up: TopUp, net: int, tax: int, now: datetime) -> None:
    """So many cents came for it, once however often it is told; its payer is looked at at once."""
    hold(top_up.customer)
    payer = of_payer(top_up.customer.payer)
    source = f"topup:{top_up.uid}"
    move(debit=HOUSE, credit=payer, micros=net * CENT, source=f"{source}:net", now=now)
    if tax:
        move(debit=HOUSE, credit=VAT, micros=tax * CENT, source=f"{source}:tax", now=now)
    waiting = TopUp.objects.filter(pk=top_up.pk).exclude(state=TopUp.State.PAID)
    waiting.update(state=TopUp.State.PAID, tax_cents=tax, problem="", ended_at=now)
    first = Customer.objects.filter(pk=top_up.customer_id, first_paid_at=None)
    first.update(first_paid_at=now)
    look_soon(top_up.customer, now)


def kept(payment: str, cents: int, now: datetime) -> None:
    """What the payment house kept of a payment."""
    if cents > 0:
        move(debit=KEPT, credit=HOUSE, micros=cents * CENT, source=f"fee:{payment}", now=now)


def take_back(paper: Paper, cents: int, source: str, now: datetime, reason: str = "") -> None:
    """Gross cents of what paid that invoice went back: net and VAT, in its own proportion."""
    hold(paper.customer)
    for name, book, micros in _parts(paper, cents):
        move(
            debit=book,
            credit=HOUSE,
            micros=micros,
            source=f"{source}:{name}",
            now=now,
            reason=reason,
        )
    look_soon(paper.customer, now)


def give_again(paper: Paper, cents: int, source: str, now: datetime, *, after: str) -> None:
    """The same came again, if it ever went as `after`."""
    hold(paper.customer)
    if not was_moved(f"{after}:net"):
        return
    for name, book, micros in _parts(paper, cents):
        move(debit=HOUSE, credit=book, micros=micros, source=f"{source}:{name}", now=now)
    look_soon(paper.customer, now)


def was_moved(source: str) -> bool:
    """Whether there is a transfer about it."""
    return Transfer.objects.filter(source=source).exists()


def hold(customer: Customer) -> None:
    """Taken before the ledger's accounts by whoever learns of its money: nobody waits in a ring."""
    list(Customer.objects.select_for_update(no_key=True).filter(pk=customer.pk))


def look_soon(customer: Customer, now: datetime) -> None:
    """Have whoever drives the payer look at once: its money is another."""
    Customer.objects.filter(pk=customer.pk).update(due_at=now)
    ring()


def _parts(paper: Paper, cents: int) -> list[tuple[str, Side, int]]:
    """In micro-euros, of whole cents as a credit note has them."""
    tax = half_up(cents * CENT * paper.tax_cents // paper.total_cents) if paper.total_cents else 0
    parts = [("net", of_payer(paper.customer.payer), cents - tax), ("tax", VAT, tax)]
    return [(name, side, part * CENT) for name, side, part in parts if part]
