"""A limit refuses in advance: one person's agents, or all of a payer's, with their AI."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from farm.accounts.models import AuditEntry, Door, User
from farm.agents import services
from farm.agents.ai_budgets import ai_budgets_of
from farm.agents.models import Agent, SharedKey
from farm.agents.refusals import Refused
from farm.agents.services import AgentWish
from farm.billing.limits import committed
from farm.billing.models import Limit, Payer
from farm.billing.payers import default_payer
from farm.billing.services import set_limit
from tests.farm.billing.wallets import EURO
from tests.farm.web.scenes import People

pytestmark = pytest.mark.django_db
MONTHLY = 7_100 * 620 + 500_000


@pytest.fixture
def payer(people: People) -> Payer:
    """Alice's account's own."""
    return default_payer(people.account)


def allow(people: People, payer: Payer, micros: int | None, person: User | None = None) -> None:
    set_limit(actor=people.alice, door=Door.WEB, payer=payer, person=person, micros=micros)


def ask(people: People, actor: User, *, key: SharedKey | None = None, budget: int = 0) -> Agent:
    wish = AgentWish(name="Ada", model_provider="sandbox")
    if key:
        wish = AgentWish(name="Ada", shared_key_uid=key.uid, ai_budget_micros=budget)
    return services.create_agent(actor=actor, account=people.account, door=Door.WEB, wish=wish)


def refusal(people: People, actor: User) -> str:
    with pytest.raises(Refused) as refused:
        ask(people, actor)
    assert refused.value.code == "over_limit"
    return str(refused.value.sentence).replace("\N{NO-BREAK SPACE}", " ")


def a_key(people: People, payer_uid: str = "") -> SharedKey:
    return SharedKey.objects.create(
        account=people.account,
        name="the firm's",
        provider="openai",
        model="gpt-5.4",
        key="sk-1",
        monthly_micros=10 * EURO,
        created_at=timezone.now(),
        payer_uid=payer_uid,
    )


def test_a_limit_for_all_counts_everybody(people: People, payer: Payer) -> None:
    allow(people, payer, 2 * MONTHLY)
    for actor in (people.alice, people.bob):
        ask(people, actor)
    said = refusal(people, people.bob)
    assert "for all agents together" in said
    assert "14.71 EUR" in said
    assert people.alice.email in said
    allow(people, payer, 3 * MONTHLY)
    ask(people, people.bob)


def test_the_tighter_limit_counts(people: People, payer: Payer) -> None:
    allow(people, payer, 10 * MONTHLY)
    allow(people, payer, MONTHLY, people.bob)
    ask(people, people.bob)
    assert "for your agents" in refusal(people, people.bob)
    ask(people, people.alice)


def test_budgets_of_ai_count_to_the_micro(people: People, payer: Payer) -> None:
    key = a_key(people)
    allow(people, payer, MONTHLY + 3 * EURO)
    with pytest.raises(Refused):
        ask(people, people.alice, key=key, budget=3 * EURO + 1)
    ask(people, people.alice, key=key, budget=3 * EURO)
    used = committed(payer, None, timezone.now(), budgets=ai_budgets_of(payer))
    assert used == MONTHLY + 3 * EURO


def test_ai_counts_with_who_pays_it(people: People, payer: Payer) -> None:
    other = Payer.objects.create(account=people.account, name="R&D", created_at=timezone.now())
    key = a_key(people, other.uid)
    allow(people, payer, MONTHLY)
    allow(people, other, 3 * EURO)
    with pytest.raises(Refused) as refused:
        ask(people, people.alice, key=key, budget=3 * EURO + 1)
    assert "R&D" in str(refused.value.sentence)
    ask(people, people.alice, key=key, budget=3 * EURO)
    assert committed(payer, None, timezone.now(), budgets=ai_budgets_of(payer)) == MONTHLY


def test_a_limit_is_taken_away(people: People, payer: Payer) -> None:
    allow(people, payer, 0)
    refusal(people, people.alice)
    allow(people, payer, None)
    ask(people, people.alice)
    assert AuditEntry.objects.filter(verb="set limit", subject=payer.uid).count() == 2


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_nobody_else_sets_a_limit(people: People, payer: Payer, who: str) -> None:
    actor = {"bob": people.bob, "charlie": people.charlie}[who]
    with pytest.raises(PermissionDenied):
        set_limit(actor=actor, door=Door.WEB, payer=payer, person=None, micros=1)
    assert not Limit.objects.exists()
