"""The relay spends no more than who pays has free, nor than its limits leave, and says so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.accounts.models import Door
from farm.agents import services
from farm.agents.refusals import Refused
from farm.billing.ai_rows import AiCall
from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer
from farm.billing.models import Limit
from farm.billing.services import set_limit
from tests.farm.billing.wallets import pay_in, wallet_of
from tests.farm.relay.actors import EUR, Cast, an_agent, books, calling
from tests.farm.relay.test_dialects import ANTHROPIC, said_by
from tests.farm.web.scenes import person


def ask(relay: str, cast: Cast) -> str:
    """What the agent reads as the answer of its model."""
    with calling(relay, cast) as client:
        answer = client.post("/messages", json=ANTHROPIC.body)
    assert answer.status_code == 200
    return said_by(answer.json())


def test_an_empty_wallet_is_told_as_a_normal_answer(relay: str, upstream: str) -> None:
    cast = an_agent(upstream, "anthropic")
    payer = wallet_of(cast.account).payer
    said = ask(relay, cast)
    assert f"The money of {payer.name} is used up" in said
    assert "/money/" in said
    assert not AiCall.objects.exists()
    pay_in(payer, EUR)
    assert "is used up" not in ask(relay, cast)
    assert 0 < EUR - balance_of(payer, timezone.now()).left < EUR


def test_it_is_told_in_the_agents_language(relay: str, upstream: str) -> None:
    cast = an_agent(upstream, "anthropic")
    wallet_of(cast.account)
    cast.agent.language = "fr"
    cast.agent.save()
    assert "est épuisé" in ask(relay, cast)


def test_who_is_frozen_pays_for_no_call(relay: str, upstream: str) -> None:
    cast = an_agent(upstream, "anthropic")
    customer = wallet_of(cast.account)
    pay_in(customer.payer, EUR)
    Customer.objects.update(frozen_at=timezone.now())
    assert "is frozen" in ask(relay, cast)


@pytest.mark.parametrize("of_all", [True, False])
def test_no_call_goes_past_a_limit(relay: str, upstream: str, *, of_all: bool) -> None:
    cast = an_agent(upstream, "anthropic")
    payer = cast.account.payers.get()
    whom = None if of_all else cast.owner
    limit = Limit.objects.create(payer=payer, person=whom, monthly_micros=2)
    assert "pays up to 0.00\N{NO-BREAK SPACE}EUR this month" in ask(relay, cast)
    limit.monthly_micros = EUR
    limit.save()
    assert "pays up to" not in ask(relay, cast)


def test_another_persons_limit_is_not_ones_own(relay: str, upstream: str) -> None:
    cast = an_agent(upstream, "anthropic")
    other = person("bob")
    Limit.objects.create(payer=cast.account.payers.get(), person=other, monthly_micros=0)
    assert "pays up to" not in ask(relay, cast)


def test_many_agents_at_once_never_spend_more_than_there_is(
    relay: str, upstream: str, settings: Settings
) -> None:
    settings.RELAY_CALLS_PER_MINUTE = 1_000
    casts = [an_agent(upstream, "anthropic", name=name) for name in ("Ada", "Bob", "Eve")]
    payer = wallet_of(casts[0].account).payer
    pay_in(payer, 20_000)

    def call(number: int) -> int:
        with calling(relay, casts[number % 3]) as client:
            return client.post("/messages", json=ANTHROPIC.body).status_code

    with ThreadPoolExecutor(8) as many:
        codes = set(many.map(call, range(45)))
    assert codes <= {200, 429}
    spent = sum(month.spent_micros for month, _, _ in map(books, casts))
    assert 0 < spent <= 20_000
    assert balance_of(payer, timezone.now()).left == 20_000 - spent


@pytest.mark.django_db
def test_a_budget_past_a_limit_is_not_granted() -> None:
    cast = an_agent("sk-1", "anthropic", budget=EUR)
    payer = cast.account.payers.get()
    set_limit(actor=cast.owner, door=Door.WEB, payer=payer, person=None, micros=2 * EUR)
    services.set_budget(actor=cast.owner, door=Door.WEB, agent=cast.agent, micros=2 * EUR - 1)
    with pytest.raises(Refused) as refused:
        services.set_budget(actor=cast.owner, door=Door.WEB, agent=cast.agent, micros=2 * EUR)
    assert refused.value.code == "over_limit"
    assert "all agents together" in str(refused.value.sentence)
