"""A wallet's page: how it stands, what is refused at which field, and who may see it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.billing.bill_rows import Bill
from farm.billing.customer_rows import Customer, Hold, Paper, Stage, TopUp
from farm.billing.ledger_rows import Book
from farm.billing.models import Limit, Payer
from farm.billing.transfers import Side, move, of_payer
from tests.farm.billing.wallets import EURO, pay_in, wallet_of
from tests.farm.web.scenes import People, agent, running

A_DAY = 190_000


@pytest.fixture
def customer(people: People, settings: Settings) -> Customer:
    """Alice's account pays in advance; nobody answers where Stripe would be."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = "sk_test_of_nobody", "http://127.0.0.1:1"
    return wallet_of(people.account)


def held(customer: Customer, uid: str, *, since_days: int = 0) -> Hold:
    return Hold.objects.create(
        payer=customer.payer,
        agent_uid=uid,
        run_micros=A_DAY,
        grace_micros=EURO,
        since=timezone.now() - timedelta(days=since_days),
    )


def wallet(customer: Customer, path: str = "wallet/") -> str:
    return f"/payers/{customer.payer.uid}/{path}"


def at_stage(customer: Customer, stage: Stage) -> None:
    now = timezone.now()
    Customer.objects.filter(pk=customer.pk).update(stage=stage, stage_at=now, dry_since=now)


def page_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def test_who_manages_a_wallet_reads_its_balance_first(
    customer: Customer, people: People, alice: Client
) -> None:
    pay_in(customer.payer, 24 * EURO)
    held(customer, running(agent(people.alice)).uid)
    page = page_of(alice, "/money/")
    assert "Balance 24.00 EUR, about 4 months" in page
    assert ">24.00 EUR</h1>" in page
    assert "Balance 24.00 EUR, about 4 months" in page_of(
        alice, f"/accounts/{people.account.uid}/money/"
    )


def test_a_member_reads_what_happens_and_no_balance(
    customer: Customer, people: People, bob: Client
) -> None:
    pay_in(customer.payer, 2 * EURO)
    held(customer, running(agent(people.alice, "Nino")).uid)
    mine = running(agent(people.bob, "Théo"))
    mine.account = people.account
    mine.save()
    at_stage(customer, Stage.DAYS)
    page = page_of(bob, "/money/")
    assert "4 days are left. Then Nino falls asleep; its data stays for 30 days." in page
    assert "Balance" not in page
    assert "Pay in" not in page


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (Stage.DRY, "The money is used up. Nino sleeps until it is paid"),
        (Stage.OVER, "so its agents were deleted"),
    ],
)
def test_each_stage_says_what_comes(
    stage: Stage, said: str, customer: Customer, people: People, alice: Client
) -> None:
    held(customer, running(agent(people.alice)).uid)
    at_stage(customer, stage)
    for path in ("/money/", wallet(customer)):
        assert said in page_of(alice, path)


def test_what_is_owed_is_shown(customer: Customer, alice: Client) -> None:
    move(
        debit=of_payer(customer.payer),
        credit=Side(Book.HOUSE),
        micros=3 * EURO,
        source="dispute:dp_1:taken",
        now=timezone.now(),
    )
    Customer.objects.update(frozen_at=timezone.now())
    page = page_of(alice, wallet(customer))
    assert "3.00 EUR are owed: pay them in" in page
    assert 'class="number owed">-3.00 EUR' in page
    assert "Frozen since" in page


def test_what_is_set_aside_is_said_for_each_agent(
    customer: Customer, people: People, alice: Client
) -> None:
    pay_in(customer.payer, 24 * EURO)
    held(customer, running(agent(people.alice, "Nino")).uid)
    page = page_of(alice, wallet(customer))
    assert "a day awake 0.19 EUR, 30 days asleep 1.00 EUR" in page
    assert "22.81 EUR" in page


@pytest.mark.parametrize("amount", ["", "4.99", "1000.01", "-5", "much", "1e99", "5.005"])
def test_an_amount_that_cannot_be_paid_is_refused_at_its_field(
    amount: str, customer: Customer, alice: Client
) -> None:
    answer = alice.post(wallet(customer, "top-ups/"), {"amount": amount})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'id="amount_error"' in page
    assert f'value="{amount}"' in page
    assert not TopUp.objects.exists()


def test_stripe_away_is_said_and_what_was_typed_stays(customer: Customer, alice: Client) -> None:
    answer = alice.post(wallet(customer, "top-ups/"), {"amount": "25", "key": "abcdefghjkmn"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Stripe does not answer at the moment" in page
    assert 'value="25"' in page
    assert 'value="abcdefghjkmn"' in page
    assert TopUp.objects.get().state == TopUp.State.ASKED


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (TopUp.State.OPEN, "Waiting for Stripe"),
        (TopUp.State.PAID, "20.00 EUR have come"),
        (TopUp.State.FAILED, "There is not enough money on this card."),
        (TopUp.State.OVER, "That page is closed"),
    ],
)
def test_the_page_after_paying_says_what_is_known(
    state: TopUp.State, said: str, customer: Customer, alice: Client
) -> None:
    problem = "insufficient_funds" if state == TopUp.State.FAILED else ""
    made = TopUp.objects.create(
        customer=customer, cents=2_000, state=state, asked_at=timezone.now(), problem=problem
    )
    page = page_of(alice, wallet(customer, f"top-ups/{made.uid}/?back=1"))
    assert said in page
    assert ("have come" in page) == (state == TopUp.State.PAID)
    assert ("every 2s" in page) == (state == TopUp.State.OPEN)


def test_a_card_is_charged_by_itself_only_after_somebody_agreed(
    customer: Customer, alice: Client
) -> None:
    path = wallet(customer, "automatic/")
    refused = alice.post(path, {"amount": "20", "agreed": "yes"})
    assert "No card is kept" in refused.content.decode()
    Customer.objects.update(card="pm_1", card_name="Visa 4242")
    silent = alice.post(path, {"amount": "20"})
    assert (silent.status_code, Customer.objects.get().automatic_cents) == (422, 0)
    assert 'id="agreed_error"' in silent.content.decode()
    assert alice.post(path, {"amount": "20", "agreed": "yes"}).status_code == 302
    assert Customer.objects.get().automatic_cents == 2_000
    assert "It is charged 20.00 EUR by itself" in page_of(alice, wallet(customer))
    alice.post(path, {"end": "yes"})
    assert Customer.objects.get().automatic_cents == 0


def test_a_vat_id_that_is_none_is_refused_at_its_field(customer: Customer, alice: Client) -> None:
    answer = alice.post(wallet(customer, "vat-id/"), {"vat_id": "FR <b>"})
    assert answer.status_code == 422
    assert 'id="vat_id_error"' in answer.content.decode()


def test_papers_lead_to_stripe_and_nowhere_else(customer: Customer, alice: Client) -> None:
    made = {
        "customer": customer,
        "sort": Paper.Sort.INVOICE,
        "status": "paid",
        "net_cents": 2_000,
        "tax_cents": 400,
        "total_cents": 2_400,
        "at": timezone.now(),
    }
    Paper.objects.create(reference="in_1", number="F-1", pdf="https://stripe.example/1.pdf", **made)
    Paper.objects.create(reference="in_2", number="F-2", pdf="javascript:alert(1)", **made)
    page = page_of(alice, wallet(customer, "papers/"))
    assert "F-1" in page
    assert "20.00 EUR and 4.00 EUR of VAT" in page
    there = alice.get(wallet(customer, "papers/in_1/"))
    assert there["Location"] == "https://stripe.example/1.pdf"
    assert alice.get(wallet(customer, "papers/in_2/")).status_code == 404


def test_another_payers_money_is_not_there(
    customer: Customer, people: People, bob: Client, charlie: Client, alice: Client
) -> None:
    made = TopUp.objects.create(customer=customer, cents=2_000, asked_at=timezone.now())
    for client, status in ((bob, 403), (charlie, 404)):
        assert client.get(wallet(customer)).status_code == status
        assert client.get(wallet(customer, f"top-ups/{made.uid}/")).status_code == status
        assert client.post(wallet(customer, "automatic/"), {"end": "yes"}).status_code == status
    other = Payer.objects.create(
        account=people.account, name="Sales", created_at=timezone.now(), kind=Payer.Kind.WALLET
    )
    assert alice.get(f"/payers/{other.uid}/top-ups/{made.uid}/").status_code == 404


def test_a_payer_from_which_nothing_is_collected_has_no_wallet(
    customer: Customer, alice: Client
) -> None:
    Payer.objects.update(kind=Payer.Kind.INTERNAL)
    assert alice.get(wallet(customer)).status_code == 302
    assert alice.post(wallet(customer, "top-ups/"), {"pick": "20"}).status_code == 422


def test_all_agents_together_get_a_limit(customer: Customer, people: People, alice: Client) -> None:
    path = wallet(customer, "limit/")
    assert alice.post(path, {"limit": "-1"}).status_code == 422
    assert alice.post(path, {"limit": "25"}).status_code == 302
    assert Limit.objects.get().person is None
    page = page_of(alice, f"/accounts/{people.account.uid}/money/")
    assert "up to 25.00 EUR" in page
    alice.post(path, {"limit": ""})
    assert not Limit.objects.exists()


def test_a_trusted_payer_reads_its_bills(customer: Customer, alice: Client) -> None:
    Payer.objects.update(kind=Payer.Kind.INVOICE)
    now = timezone.now()
    Bill.objects.create(
        payer=customer.payer,
        month=date(2026, 9, 1),
        state=Bill.State.OPEN,
        currency="EUR",
        net_micros=12_340_000,
        net_cents=1_234,
        tax_cents=247,
        page="https://stripe.example/bill",
        closed_at=now,
    )
    page = page_of(alice, wallet(customer))
    assert "Billed by the month: 0.00 EUR used and not yet paid" in page
    assert '<a href="https://stripe.example/bill" rel="noreferrer">Pay it</a>' in page
    assert "12.34 EUR" in page
    assert "top-ups/" not in page
    assert "Bills, card, papers" in page_of(alice, "/money/")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Payer.Kind.INTERNAL, "nothing is collected"),
        (Payer.Kind.WALLET, "it is taken from what was paid in"),
        (Payer.Kind.INVOICE, "the bill of the month is that"),
    ],
)
def test_a_statement_says_what_it_is(
    kind: Payer.Kind, said: str, customer: Customer, alice: Client
) -> None:
    Payer.objects.update(kind=kind)
    month = f"{timezone.now():%Y-%m}/"
    assert f"A statement, not an invoice: {said}" in page_of(alice, wallet(customer, month))
    assert alice.get(wallet(customer, f"{month}statement.pdf")).content.startswith(b"%PDF-")
