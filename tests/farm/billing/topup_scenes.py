"""Wallets at a payment house: paid into on its page, charged, and what the farm learns of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.db import connection
from django.utils import timezone

from farm.accounts.models import Account, Door, User
from farm.agents.reconciler.driving import REFUNDS, STRIPE_EVENTS, STRIPE_ROUNDS, TOP_UPS
from farm.billing.automatic import start_automatic_top_up
from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer, TopUp
from farm.billing.customers import customer_of
from farm.billing.ledger_rows import Book, LedgerAccount, Transfer
from farm.billing.models import Payer
from farm.billing.payers import default_payer
from farm.billing.stripe_rows import StripeEvent, StripeRound
from farm.billing.topups import ask_top_up
from farm.billing.transfers import CENT
from farm.sandbox.wire import Json
from tests.sandbox.stripe.acting import GOOD, fill_in
from tests.sandbox.stripe.stripe_at_work import KEY, WEBHOOK_SECRET, StripeAtWork

PAID_PAGE, BACK = "http://localhost/money?paid={CHECKOUT_SESSION_ID}", "http://localhost/money"
EURO = 1_000_000


def wallet(account: Account) -> Payer:
    """The account's own payer, paying in advance from now on."""
    payer = default_payer(account)
    Payer.objects.filter(pk=payer.pk).update(kind=Payer.Kind.WALLET)
    payer.refresh_from_db()
    return payer


def asked(actor: User, payer: Payer, cents: int = 2000, *, key: str = "") -> TopUp:
    """A page on which so much can be paid in."""
    return ask_top_up(
        actor=actor,
        door=Door.WEB,
        payer=payer,
        cents=cents,
        success_url=PAID_PAGE,
        cancel_url=BACK,
        language="fr",
        key=key,
    )


def paid(
    actor: User, payer: Payer, cents: int = 2000, *, country: str = "FR", vat_id: str = ""
) -> TopUp:
    """The same, filled in with a good card; nobody has told the farm."""
    top_up = asked(actor, payer, cents)
    assert fill_in(top_up.url, GOOD, country, vat_id).ok
    return top_up


def fetch(*, now: bool = True) -> None:
    """Read what happened at Stripe, and with `now` understand each of it."""
    StripeRound.objects.update_or_create(pk=1, defaults={"due_at": timezone.now()})
    for job in list(STRIPE_ROUNDS.jobs(timezone.now())):
        job.work(lambda claim: None)
    if now:
        understand()


def understand() -> None:
    """Every event that is not understood yet, again and again while that helps."""
    for _ in range(5):
        StripeEvent.objects.filter(worked_at=None).update(due_at=timezone.now())
        for job in list(STRIPE_EVENTS.jobs(timezone.now())):
            job.work(lambda claim: None)


def drive(top_up: TopUp) -> TopUp:
    """Take its steps until it waits for something that is not due."""
    TopUp.objects.filter(pk=top_up.pk).update(due_at=timezone.now())
    for _ in range(10):
        jobs = [job for job in TOP_UPS.jobs(timezone.now()) if job.key[1] == top_up.pk]
        if not jobs:
            break
        for job in jobs:
            job.work(lambda claim: None)
    top_up.refresh_from_db()
    return top_up


def drive_refunds() -> None:
    """One step of each that is under way."""
    for job in list(REFUNDS.jobs(timezone.now())):
        job.work(lambda claim: None)


def with_card(house: StripeAtWork, payer: Payer, kind: str = "pm_card_visa") -> Customer:
    """The payer as a customer in France who agreed that this card is charged 20 EUR at a time."""
    client, customer = house.client(), customer_of(payer)
    if not customer.reference:
        made = client.v1.customers.create({"email": customer.email, "address": {"country": "FR"}})
        customer.reference = made.id
    customer.card = client.v1.payment_methods.attach(kind, {"customer": customer.reference}).id
    customer.card_name, customer.automatic_cents = "Visa 4242", 2000
    customer.save()
    return customer


def charged(customer: Customer) -> TopUp:
    """An automatic top-up, started and driven as far as it goes by itself."""
    top_up = start_automatic_top_up(customer, timezone.now())
    assert top_up is not None
    return drive(top_up)


def posted() -> dict[str, int]:
    """Each transfer by what it is about, in cents; below 0 for what leaves the house."""
    house = LedgerAccount.objects.filter(book=Book.HOUSE).first()
    return {
        row.source: (row.amount_micros if row.debit == house else -row.amount_micros) // CENT
        for row in Transfer.objects.all()
    }


def left(payer: Payer) -> int:
    """What is in the wallet, in cents."""
    return balance_of(payer, timezone.now()).left // CENT


def books_agree(house: StripeAtWork) -> bool:
    """Whether the ledger has at Stripe what Stripe has, and what it kept."""
    sums = {row.book: row.balance_micros for row in LedgerAccount.objects.all() if not row.payer}
    there: Json = house.read("/stripe/books")["balance"]
    assert isinstance(there, int)
    return sums.get(Book.HOUSE, 0) == there * CENT


WORKER = """
import sys, django
django.setup()
from django.utils import timezone
from farm.agents.reconciler.driving import SORTS
(sort,) = [one for one in SORTS if one.name == sys.argv[1]]
sys.stdin.readline()
while jobs := list(sort.jobs(timezone.now())):
    for job in jobs:
        job.work(lambda claim: None)
"""


def worker_of(sort: str, house: StripeAtWork, folder: Path) -> subprocess.Popen[bytes]:
    """A process of its own that waits for a line, then drives that sort on this test's database."""
    name, data = str(connection.settings_dict["NAME"]), folder / "data"
    data.mkdir(mode=0o700)
    if connection.vendor == "sqlite":
        (data / "farm.sqlite3").symlink_to(name)
    postgres = f"{os.environ.get('DATABASE_URL', '').rpartition('/')[0]}/{name}"
    more = {
        "DJANGO_SETTINGS_MODULE": "farm.settings",
        "FARM_DATA": str(data),
        "DATABASE_URL": "" if connection.vendor == "sqlite" else postgres,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": house.endpoint,
    }
    command = [sys.executable, "-c", WORKER, sort]
    return subprocess.Popen(command, env={**os.environ, **more}, stdin=subprocess.PIPE)
