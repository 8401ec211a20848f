"""Trusted payers, what their agents cost, and a payment house that bills them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from farm.accounts.models import Account, Membership, Role, User
from farm.agents.reconciler.driving import BILL_CREDITS, BILLS
from farm.billing.ai_rows import AiDay
from farm.billing.bill_rows import Bill, BillCredit
from farm.billing.customer_rows import Customer
from farm.billing.models import Assignment, Kind, Payer, PriceRow, UsageLine
from tests.sandbox.stripe.stripe_at_work import StripeAtWork

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def closing(month: date) -> datetime:
    """A moment at which that month may be closed."""
    after = (month + timedelta(days=31)).replace(day=1)
    return datetime(after.year, after.month, 1, 6, tzinfo=UTC)


def trusted(name: str = "Agency", kind: Payer.Kind = Payer.Kind.INVOICE) -> Payer:
    """A payer with an account and an owner of its own."""
    account = Account.objects.create(name=name, created_at=BEGAN)
    owner = User.objects.create_user(
        username=f"{name}@example.org", email=f"{name.lower()}@example.org", language="en"
    )
    Membership.objects.create(account=account, user=owner, role=Role.OWNER)
    return Payer.objects.create(
        account=account, name=name, kind=kind, is_default=True, created_at=BEGAN
    )


def used(
    payer: Payer,
    agent: str,
    micros: int,
    month: date,
    *,
    kind: Kind = Kind.SERVER,
    hour: int = 0,
) -> UsageLine:
    """An hour of an agent's machine, or of the farm's fee for it."""
    at = datetime(month.year, month.month, 5, tzinfo=UTC) + timedelta(hours=hour)
    price, _ = PriceRow.objects.get_or_create(
        server_uid=f"s{agent}",
        kind=kind,
        valid_from=BEGAN,
        defaults={"hourly_micros": 1, "currency": "EUR"},
    )
    Assignment.objects.get_or_create(
        agent_uid=agent,
        valid_from=BEGAN,
        defaults={"agent_name": agent.title(), "payer": payer, "monthly_micros": 0},
    )
    return UsageLine.objects.create(
        server_uid=f"s{agent}",
        hour_index=(at - BEGAN) // timedelta(hours=1),
        kind=kind,
        began_at=at,
        month=month,
        agent_uid=agent,
        agent_name=agent.title(),
        account_uid=payer.account.uid,
        payer=payer,
        micros=micros,
        cloud_micros=0 if kind == Kind.FEE else micros,
        currency="EUR",
        price=price,
        capped=False,
    )


def thought(payer: Payer, agent: str, micros: int, day: date) -> None:
    """A day of AI."""
    AiDay.objects.create(
        day=day,
        payer_uid=payer.uid,
        agent_uid=agent,
        agent_name=agent.title(),
        provider="p",
        model="m",
        cost_micros=micros,
    )


def at_stripe(house: StripeAtWork, payer: Payer, card: str = "") -> Customer:
    """The payer as a customer in France; with a card of that kind, if one is named."""
    client = house.client()
    made = client.v1.customers.create(
        {"email": "agency@example.org", "name": payer.name, "address": {"country": "FR"}}
    )
    customer = Customer.objects.create(
        payer=payer, reference=made.id, email="agency@example.org", stage_at=BEGAN
    )
    return keep_card(house, customer, card) if card else customer


def keep_card(house: StripeAtWork, customer: Customer, card: str) -> Customer:
    """Have it pay with another card from now on."""
    attach = house.client().v1.payment_methods.attach
    customer.card = attach(card, {"customer": customer.reference}).id
    customer.save()
    return customer


def drive(bill: Bill) -> Bill:
    """Drive the bill until it waits for something that is not due."""
    Bill.objects.filter(pk=bill.pk).update(due_at=timezone.now())
    for _ in range(10):
        jobs = [job for job in BILLS.jobs(timezone.now()) if job.key[1] == bill.pk]
        if not jobs:
            break
        for job in jobs:
            job.work(lambda claim: None)
    bill.refresh_from_db()
    return bill


def drive_credit(credit: BillCredit) -> BillCredit:
    """One step of it, now."""
    BillCredit.objects.filter(pk=credit.pk).update(due_at=timezone.now())
    for job in list(BILL_CREDITS.jobs(timezone.now())):
        job.work(lambda claim: None)
    credit.refresh_from_db()
    return credit
