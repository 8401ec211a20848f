"""Before a button that costs: what it means for the wallet, and where to pay in what is missing."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from farm.agents.models import Agent
from farm.billing.customer_rows import Customer
from farm.billing.payers import assign
from tests.farm.billing.wallets import EURO, pay_in, wallet_of
from tests.farm.web import sleep_scenes
from tests.farm.web.scenes import People, agent, running


@pytest.fixture
def customer(people: People, settings: Settings) -> Customer:
    """Alice's account pays in advance."""
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:9/v1"
    settings.SANDBOX_MODEL, settings.SANDBOX_MODEL_KEY = "sandbox-1", "key"
    return wallet_of(people.account)


def page_of(client: Client, path: str) -> str:
    return client.get(path).content.decode().replace("\N{NO-BREAK SPACE}", " ")


def paid(row: Agent, customer: Customer) -> Agent:
    """The wallet pays for it."""
    assign(
        agent_uid=row.uid,
        agent_name=row.name,
        payer=customer.payer,
        cost_centre="",
        person=row.owner,
        monthly_micros=row.agreed_monthly_micros,
        at=row.created_at,
    )
    return row


def test_an_empty_wallet_says_what_is_missing_and_where_to_pay_it_in(
    customer: Customer, alice: Client, bob: Client
) -> None:
    pay_in(customer.payer, 2 * EURO)
    page = page_of(alice, "/agents/new/")
    assert "3.88 EUR are missing in the wallet of Alice for that." in page
    link = f"/payers/{customer.payer.uid}/wallet/?amount=5.00#pay-in"
    assert f'<a href="{link}">Pay in 5.00 EUR</a>' in page
    assert 'value="5.00"' in page_of(alice, link.partition("#")[0])
    theirs = page_of(bob, "/agents/new/")
    assert "3.88 EUR are missing" in theirs
    assert link not in theirs


def test_a_wallet_with_money_says_how_long_it_lasts_then(customer: Customer, alice: Client) -> None:
    pay_in(customer.payer, 25 * EURO)
    # 25 less 5.88 set aside, at 0.19 a day.
    assert "The wallet lasts about 3 months then." in page_of(alice, "/agents/new/")


def test_nothing_is_said_where_nothing_is_paid_in_advance(people: People, alice: Client) -> None:
    assert "wallet" not in page_of(alice, "/agents/new/")


def test_another_size_and_place_and_waking_say_it_too(
    customer: Customer, people: People, alice: Client
) -> None:
    pay_in(customer.payer, 6 * EURO)
    nino = paid(running(agent(people.alice)), customer)
    page = page_of(alice, f"/agents/{nino.uid}/machine/")
    assert "are missing in the wallet of Alice" in page
    move = page_of(alice, f"/agents/{nino.uid}/move/?region=europe")
    assert "wallet" in move
    sleep_scenes.copy_prices()
    lou = paid(sleep_scenes.asleep(running(agent(people.alice, "Lou"))), customer)
    assert "The wallet lasts" in page_of(alice, f"/agents/{lou.uid}/wake/")
    assert "The wallet lasts" in page_of(alice, f"/agents/{lou.uid}/")
