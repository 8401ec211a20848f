"""What a thing at Stripe is now, written down here: the one place where money there is learnt.

Webhooks, the return page, the nightly round and replays all end here, in any order and as often as
they like: each transfer has a source that is posted once, and each row takes what is true now.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from farm.billing import bills
from farm.billing import learning_people as people
from farm.billing.customer_rows import Customer, Paper, TopUp
from farm.billing.freezing import thaw_if_settled
from farm.billing.gateway_values import (
    Card,
    Checkout,
    CheckoutStatus,
    CreditNote,
    Dispute,
    Found,
    Invoice,
    Payment,
    Refund,
    Setup,
    TaxId,
)
from farm.billing.gateway_values import Customer as Buyer
from farm.billing.learning_disputes import is_ours, learn_dispute, learn_refund
from farm.billing.money_in import kept, look_soon, paid_in

WAITING = (TopUp.State.ASKED, TopUp.State.OPEN)
DEAD = ("void", "uncollectible")


@transaction.atomic
def learn_found(found: Found, now: datetime, owner: str = "") -> bool:
    """Write down what it is; False while it cannot be understood, because more is to come.

    What is nobody's here is understood: the account there may be used for other things too.
    """
    match found:
        case Checkout():
            _learn_checkout(found, now)
        case Invoice():
            _learn_invoice(found, now)
        case Payment():
            return _learn_payment(found, now)
        case Refund():
            return learn_refund(found, now)
        case Dispute():
            return learn_dispute(found, now)
        case CreditNote():
            return _learn_credit_note(found, now)
        case _:
            _learn_person(found, now, owner)
    return True


def _learn_person(found: Setup | Card | Buyer | TaxId, now: datetime, owner: str) -> None:
    match found:
        case Setup():
            people.learn_setup(found, now)
        case Card():
            people.learn_card(found, now)
        case Buyer():
            people.learn_buyer(found)
        case TaxId():
            people.learn_tax_id(found, now, owner)


def _learn_checkout(found: Checkout, now: datetime) -> None:
    top_up = _top_up(found.metadata.get("topup", ""))
    if top_up is None:
        return
    known = TopUp.objects.filter(pk=top_up.pk)
    known.update(checkout=found.id, invoice=found.invoice, payment=found.payment)
    if found.is_paid:
        _paid(top_up, found.net, found.tax, now)
    elif found.status == CheckoutStatus.EXPIRED:
        known.filter(state__in=WAITING).update(state=TopUp.State.OVER, ended_at=now)


def _learn_invoice(found: Invoice, now: datetime) -> None:
    held = Customer.objects.select_for_update(no_key=True)
    customer = held.filter(reference=found.customer).exclude(reference="").first()
    if customer is None or found.status == "draft":
        return
    _keep_invoice(customer, found, now)
    if bills.learn_invoice(found, now):
        look_soon(customer, now)
    top_up = _top_up(found.metadata.get("topup", ""))
    if top_up:
        _learn_of_top_up(top_up, found, now)


def _learn_of_top_up(top_up: TopUp, found: Invoice, now: datetime) -> None:
    known = TopUp.objects.filter(pk=top_up.pk)
    known.update(invoice=found.id)
    if found.payment:
        known.update(payment=found.payment)
    if found.status == "paid":
        _paid(top_up, found.net, found.tax, now)
    elif found.status in DEAD:
        state = TopUp.State.FAILED if top_up.problem else TopUp.State.OVER
        known.filter(state__in=WAITING).update(state=state, ended_at=now)


def _paid(top_up: TopUp, net: int, tax: int, now: datetime) -> None:
    """What was owed of a lost dispute may be paid by it."""
    paid_in(top_up, net, tax, now)
    thaw_if_settled(top_up.customer, now)


def _keep_invoice(customer: Customer, found: Invoice, now: datetime) -> None:
    told = {
        "customer": customer,
        "sort": Paper.Sort.INVOICE,
        "number": found.number,
        "status": found.status,
        "net_cents": found.net,
        "tax_cents": found.tax,
        "total_cents": found.total,
        "page": found.page,
        "pdf": found.pdf,
        **({"payment": found.payment} if found.payment else {}),
    }
    Paper.objects.update_or_create(
        reference=found.id, defaults=told, create_defaults={**told, "at": now}
    )


def _learn_credit_note(found: CreditNote, now: datetime) -> bool:
    paper = Paper.objects.filter(reference=found.invoice).first()
    if paper is None:
        return not is_ours(found.customer)
    told = {
        "customer": paper.customer,
        "sort": Paper.Sort.CREDIT,
        "number": found.number,
        "status": "issued",
        "net_cents": found.net,
        "tax_cents": found.total - found.net,
        "total_cents": found.total,
        "pdf": found.pdf,
    }
    Paper.objects.get_or_create(reference=found.id, defaults={**told, "at": now})
    return True


def _learn_payment(found: Payment, now: datetime) -> bool:
    if not found.succeeded or not is_ours(found.customer):
        return True
    top_up = _top_up(found.metadata.get("topup", ""))
    if top_up:
        TopUp.objects.filter(pk=top_up.pk).update(payment=found.id)
    if found.fee is None:
        return False
    kept(found.id, found.fee, now)
    people.learn_card_of(found, now)
    return True


def _top_up(uid: str) -> TopUp | None:
    """Its row, held until the end of the transaction."""
    rows = TopUp.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("customer__payer").filter(uid=uid).first() if uid else None
