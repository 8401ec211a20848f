"""What a wallet does not bear is refused before anything is made, by a sentence with figures."""

from __future__ import annotations

import pytest
from django.utils import timezone

from farm.accounts.models import Door
from farm.agents import services
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.agents.services import AgentWish
from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer, Hold
from tests.farm.billing.wallets import EURO, pay_in, wallet_of
from tests.farm.web.scenes import People

pytestmark = pytest.mark.django_db
A_DAY = 24 * 7_900
GRACE = 720 * 7_900
"""Where nothing is known of sleep, 30 days awake."""
WORST = A_DAY + GRACE


def ask(people: People, **wish: str) -> Agent:
    return services.create_agent(
        actor=people.alice,
        account=people.account,
        door=Door.WEB,
        wish=AgentWish(name="Ada", **wish),
    )


@pytest.fixture
def customer(people: People) -> Customer:
    """Alice's account pays in advance, and has paid nothing yet."""
    return wallet_of(people.account)


def refusal(people: People, **wish: str) -> Refused:
    with pytest.raises(Refused) as refused:
        ask(people, **wish)
    return refused.value


def test_an_empty_wallet_makes_nothing_and_says_what_is_missing(
    people: People, customer: Customer
) -> None:
    pay_in(customer.payer, 2 * EURO)
    refused = refusal(people)
    assert refused.code == "not_enough_money"
    said = str(refused.sentence).replace("\N{NO-BREAK SPACE}", " ")
    assert "5.88 EUR" in said
    assert "2.00 EUR" in said
    assert "3.88 EUR" in said
    assert not Agent.objects.exists()
    assert not Hold.objects.exists()


def test_an_agent_holds_its_worst_case_to_the_micro(people: People, customer: Customer) -> None:
    pay_in(customer.payer, WORST)
    agent = ask(people)
    held = Hold.objects.get(agent_uid=agent.uid)
    assert (held.run_micros, held.grace_micros) == (A_DAY, GRACE)
    assert balance_of(customer.payer, timezone.now()).available == 0
    assert refusal(people).code == "not_enough_money"


def test_one_micro_less_is_refused(people: People, customer: Customer) -> None:
    pay_in(customer.payer, WORST - 1)
    assert refusal(people).code == "not_enough_money"
