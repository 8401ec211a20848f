"""Payments that went back: refunded, or called into question by their bank."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from farm.billing.customer_rows import Customer, Dispute, Paper
from farm.billing.freezing import freeze, thaw_if_settled
from farm.billing.gateway_values import Dispute as Found
from farm.billing.gateway_values import Refund
from farm.billing.money_in import HOUSE, give_again, take_back
from farm.billing.transfers import CENT, move, of_payer

CLOSED: Final = ("won", "lost", "warning_closed", "prevented")
INQUIRY: Final = "warning_"
"""What Stripe calls a question of a bank that has taken no money."""
FAILED: Final = ("failed", "canceled")


def learn_refund(found: Refund, now: datetime) -> bool:
    """Money on its way to the card it came from; False until the invoice it paid is known."""
    paper = _paper(found.payment)
    if paper is None:
        return not is_ours(found.customer)
    source = f"refund:{found.id}"
    if found.status in FAILED:
        give_again(paper, found.cents, f"{source}:back", now, after=source)
    else:
        take_back(paper, found.cents, source, now, reason=found.metadata.get("reason", ""))
    return True


def learn_dispute(found: Found, now: datetime) -> bool:
    """A payment in question; its payer is frozen while it is. False as for `learn_refund`."""
    paper = _paper(found.payment)
    if paper is None:
        return not is_ours(found.customer)
    customer = Customer.objects.select_for_update(no_key=True).get(pk=paper.customer_id)
    _keep(customer, found, now)
    _move(paper, found, now)
    is_open = found.status not in CLOSED and not found.status.startswith(INQUIRY)
    if is_open or found.status == "lost":
        freeze(customer, "dispute", now)
    thaw_if_settled(customer, now)
    return True


def is_ours(reference: str) -> bool:
    """Whether it is a customer of the farm's: the account there may have others, too."""
    return Customer.objects.filter(reference=reference).exclude(reference="").exists()


def _keep(customer: Customer, found: Found, now: datetime) -> None:
    told = {"cents": found.cents, "fee_cents": max(found.fee, 0), "status": found.status}
    row, _ = Dispute.objects.update_or_create(
        reference=found.id,
        defaults=told,
        create_defaults={**told, "customer": customer, "opened_at": now},
    )
    if found.status in CLOSED:
        Dispute.objects.filter(pk=row.pk, closed_at=None).update(closed_at=now)


def _move(paper: Paper, found: Found, now: datetime) -> None:
    source = f"dispute:{found.id}"
    if found.taken - found.fee > 0:
        take_back(paper, found.cents, f"{source}:taken", now)
    else:
        give_again(paper, found.cents, f"{source}:returned", now, after=f"{source}:taken")
    payer = of_payer(paper.customer.payer)
    micros, fee = found.fee * CENT, f"{source}:fee"
    if micros > 0:
        move(debit=payer, credit=HOUSE, micros=micros, source=fee, now=now)


def _paper(payment: str) -> Paper | None:
    papers = Paper.objects.select_related("customer__payer")
    return papers.filter(payment=payment).first() if payment else None
