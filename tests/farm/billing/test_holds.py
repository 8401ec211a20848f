"""What a wallet does not bear is refused before anything is made, by a sentence with figures."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.db import connections
from django.utils import timezone

from farm.accounts.models import Door
from farm.agents import services
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.agents.services import AgentWish, change_payer
from farm.agents.services.changes import resize_agent
from farm.agents.services.sleep import stop_agent, wake_agent
from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer, Hold, Stage
from farm.billing.models import Payer
from tests.farm.billing.wallets import EURO, pay_in, use, wallet_of
from tests.farm.web import scenes
from tests.farm.web.scenes import People

pytestmark = pytest.mark.django_db
A_DAY = 24 * 7_900
GRACE = 720 * 7_900
"""Where nothing is known of sleep, 30 days awake."""
WORST = A_DAY + GRACE


def ask(people: People, plan: str = "") -> Agent:
    return services.create_agent(
        actor=people.alice,
        account=people.account,
        door=Door.WEB,
        wish=AgentWish(name="Ada", plan=plan),
    )


@pytest.fixture
def customer(people: People) -> Customer:
    """Alice's account pays in advance, and has paid nothing yet."""
    return wallet_of(people.account)


def refusal(people: People, plan: str = "") -> Refused:
    with pytest.raises(Refused) as refused:
        ask(people, plan)
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


def test_a_larger_machine_holds_more_or_is_refused(people: People, customer: Customer) -> None:
    pay_in(customer.payer, WORST + 1)
    agent = scenes.running(ask(people))
    with pytest.raises(Refused) as refused:
        resize_agent(actor=people.alice, door=Door.WEB, agent=agent, plan="large")
    assert refused.value.code == "not_enough_money"
    pay_in(customer.payer, 10 * EURO)
    resize_agent(actor=people.alice, door=Door.WEB, agent=agent, plan="large")
    assert Hold.objects.get(released_at=None).run_micros == 24 * 13_100


def test_nothing_wakes_on_money_that_is_gone(people: People, customer: Customer) -> None:
    pay_in(customer.payer, WORST)
    agent = scenes.running(ask(people))
    stop_agent(actor=people.alice, door=Door.WEB, agent=agent)
    use(customer.payer, 1)
    with pytest.raises(Refused) as refused:
        wake_agent(actor=people.alice, door=Door.WEB, agent=agent)
    assert refused.value.code == "not_enough_money"
    pay_in(customer.payer, 1)
    wake_agent(actor=people.alice, door=Door.WEB, agent=agent)


def test_who_gives_an_agent_holds_for_it(people: People, customer: Customer) -> None:
    pay_in(customer.payer, WORST)
    agent, giver = ask(people), gift_payer(people)
    change = partial(
        change_payer,
        actor=people.alice,
        door=Door.WEB,
        agent=agent,
        payer_uid=giver.uid,
        cost_centre="",
        until=timezone.localdate() + timedelta(days=9),
    )
    with pytest.raises(Refused):
        change()
    assert Hold.objects.get(released_at=None).payer == customer.payer
    pay_in(giver, WORST)
    change()
    assert Hold.objects.get(released_at=None).payer == giver
    assert balance_of(customer.payer, timezone.now()).available == WORST
    assert balance_of(giver, timezone.now()).available == 0


def gift_payer(people: People) -> Payer:
    """Another wallet of the same account."""
    now = timezone.now()
    payer = Payer.objects.create(
        account=people.account, name="Aunt", kind=Payer.Kind.WALLET, created_at=now
    )
    Customer.objects.create(
        payer=payer,
        email="aunt@example.org",
        stage_at=now,
        first_paid_at=now - timedelta(days=8),
    )
    return payer


@pytest.mark.parametrize("paid_days_ago", [None, 6])
def test_a_new_payer_has_one_agent_of_the_smallest_size(
    people: People, paid_days_ago: int | None
) -> None:
    customer = wallet_of(people.account, paid_days_ago=paid_days_ago)
    pay_in(customer.payer, 100 * EURO)
    assert refusal(people, plan="large").code == "payer_too_new"
    agent = scenes.running(ask(people))
    assert refusal(people).code == "payer_too_new"
    with pytest.raises(Refused) as refused:
        resize_agent(actor=people.alice, door=Door.WEB, agent=agent, plan="large")
    assert refused.value.code == "payer_too_new"
    Customer.objects.update(first_paid_at=timezone.now() - timedelta(days=7))
    ask(people, plan="large")


def test_who_is_frozen_makes_nothing(people: People, customer: Customer) -> None:
    pay_in(customer.payer, 100 * EURO)
    Customer.objects.update(frozen_at=timezone.now())
    assert refusal(people).code == "payer_frozen"


def test_who_owes_or_is_out_of_money_makes_nothing(people: People, customer: Customer) -> None:
    use(customer.payer, EURO)
    assert "-1.00" in str(refusal(people).sentence)
    pay_in(customer.payer, 100 * EURO)
    Customer.objects.update(stage=Stage.DRY)
    assert refusal(people).code == "not_enough_money"


def test_mail_must_reach_who_pays_in_advance(people: People, customer: Customer) -> None:
    pay_in(customer.payer, 100 * EURO)
    EmailAddress.objects.filter(user=people.alice).update(verified=False)
    assert refusal(people).code == "mail_not_proved"


def test_who_collects_nothing_holds_nothing(people: People) -> None:
    ask(people)
    assert not Hold.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_cannot_both_use_the_last_euro(people: People) -> None:
    payer = wallet_of(people.account).payer
    pay_in(payer, 2 * WORST - 1)
    codes: list[str] = []
    start = threading.Barrier(2)

    def one_more() -> None:
        try:
            start.wait(timeout=60)
            ask(people)
            codes.append("")
        except Refused as refused:
            codes.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one_more) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert sorted(codes) == ["", "not_enough_money"]
    assert Agent.objects.count() == Hold.objects.count() == 1
