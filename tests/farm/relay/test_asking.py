"""Keys shared, budgets asked for, granted and set: by who may, through pages and services."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.accounts.models import AuditEntry, Door, Membership, Role, User
from farm.accounts.services import account_of
from farm.agents.models import Agent, BudgetRequest, Operation, OperationKind, SharedKey
from farm.agents.refusals import Refused
from farm.agents.relay_keys import hash_of
from farm.agents.services import (
    AgentWish,
    KeyWish,
    add_shared_key,
    create_agent,
    decide_budget,
    renew_relay_key,
    revoke_shared_key,
    set_budget,
    use_shared_key,
)
from farm.billing.ai_rows import AiMonth
from tests.farm.relay.actors import EUR, Cast, an_agent
from tests.farm.web import scenes
from tests.sandbox.running import RunningSandbox


@dataclass(frozen=True, slots=True)
class People:
    """Alice owns the account, Bob has the agent, Charlie is a stranger."""

    alice: User
    bob: User
    charlie: User
    cast: Cast


@pytest.fixture
def people(transactional_db: None, upstream: str, settings: Settings, tmp_path: Path) -> People:
    """Bob's agent thinks with Alice's key."""
    settings.STATIC_ROOT = tmp_path
    cast = an_agent(upstream)
    bob = User.objects.create(email="bob@example.org", username="bob")
    charlie = User.objects.create(email="charlie@example.org", username="charlie")
    Membership.objects.create(account=cast.account, user=bob, role=Role.MEMBER)
    account_of(user=charlie)
    cast.agent.owner = bob
    cast.agent.save()
    now = timezone.now()
    Operation.objects.create(
        agent=cast.agent, kind=OperationKind.CREATE, generation=1, started_at=now
    )
    return People(cast.owner, bob, charlie, cast)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def used_up(agent: Agent) -> None:
    month = timezone.now().date().replace(day=1)
    AiMonth.objects.create(agent_uid=agent.uid, month=month, spent_micros=10 * EUR)


def test_one_tap_asks_and_one_tap_grants(people: People) -> None:
    agent = people.cast.agent
    used_up(agent)
    bobs, alices = browser(people.bob), browser(people.alice)
    page = bobs.get(f"/agents/{agent.uid}/").content.decode()
    assert "Ask for 5.00" in page
    bobs.post(f"/agents/{agent.uid}/budget/ask/")
    bobs.post(f"/agents/{agent.uid}/budget/ask/")
    request = BudgetRequest.objects.get()
    [letter] = mail.outbox
    assert letter.to == ["alice@example.org"]
    link = f"/budget-requests/{request.uid}/"
    assert link in letter.body
    assert "Grant: 15.00" in alices.get(link).content.decode()
    agent.refresh_from_db()
    assert agent.ai_budget_micros == 10 * EUR
    for _ in range(2):
        alices.post(link, {"answer": "grant"})
    agent.refresh_from_db()
    assert agent.ai_budget_micros == 15 * EUR
    assert [letter.to for letter in mail.outbox[1:]] == [["bob@example.org"]]
    verbs = list(AuditEntry.objects.order_by("pk").values_list("verb", "actor__email"))[-2:]
    assert verbs == [("ask budget", "bob@example.org"), ("grant budget", "alice@example.org")]


def test_declined_changes_nothing(people: People) -> None:
    browser(people.bob).post(f"/agents/{people.cast.agent.uid}/budget/ask/")
    request = BudgetRequest.objects.get()
    browser(people.alice).post(f"/budget-requests/{request.uid}/", {"answer": "decline"})
    people.cast.agent.refresh_from_db()
    assert people.cast.agent.ai_budget_micros == 10 * EUR
    assert BudgetRequest.objects.get().state == BudgetRequest.State.DECLINED


def test_who_may_not(people: People) -> None:
    agent, account = people.cast.agent, people.cast.account
    browser(people.bob).post(f"/agents/{agent.uid}/budget/ask/")
    request = BudgetRequest.objects.get()
    bobs, charlies = browser(people.bob), browser(people.charlie)
    for path, body in (
        (f"/budget-requests/{request.uid}/", {"answer": "grant"}),
        (f"/agents/{agent.uid}/budget/", {"budget": "500"}),
        (f"/accounts/{account.uid}/keys/", {"provider": "openai", "model_key": "sk-x"}),
        (f"/accounts/{account.uid}/keys/{people.cast.shared.uid}/revoke/", {}),
    ):
        assert bobs.post(path, body).status_code == 403, path
        assert charlies.post(path, body).status_code == 404, path
        assert Client().post(path, body).status_code == 302, path
    for path in ("budget/ask/", "relay-key/", "shared-key/"):
        assert charlies.post(f"/agents/{agent.uid}/{path}").status_code == 404
    agent.refresh_from_db()
    assert agent.ai_budget_micros == 10 * EUR
    with pytest.raises(PermissionDenied):
        decide_budget(actor=people.bob, door=Door.API, request=request, granted=True)
    with pytest.raises(PermissionDenied):
        set_budget(actor=people.bob, door=Door.API, agent=agent, micros=1)
    with pytest.raises(PermissionDenied):
        revoke_shared_key(actor=people.bob, door=Door.API, key=people.cast.shared)
    with pytest.raises(PermissionDenied):
        renew_relay_key(actor=people.charlie, door=Door.API, agent=agent)
    with pytest.raises(PermissionDenied):
        use_shared_key(actor=people.charlie, door=Door.API, agent=agent, key_uid="")


def test_a_budget_is_set_on_the_page(people: People) -> None:
    agent = people.cast.agent
    alices = browser(people.alice)
    for sent, status, budget in (
        ("25.50", 302, 25_500_000),
        ("0", 422, 25_500_000),
        ("x", 422, 25_500_000),
    ):
        assert alices.post(f"/agents/{agent.uid}/budget/", {"budget": sent}).status_code == status
        agent.refresh_from_db()
        assert agent.ai_budget_micros == budget


def test_a_key_is_shared_on_the_page_and_never_shown(people: People, upstream: str) -> None:
    alices, uid = browser(people.alice), people.cast.account.uid
    sent = {"provider": "anthropic", "model_key": upstream, "budget": "12", "name": "Firm"}
    assert alices.post(f"/accounts/{uid}/keys/", sent).status_code == 302
    shared = SharedKey.objects.get(name="Firm")
    assert (shared.key, shared.monthly_micros) == (upstream, 12 * EUR)
    page = alices.get(f"/accounts/{uid}/keys/").content.decode()
    assert "Firm" in page
    assert upstream not in page
    alices.post(f"/accounts/{uid}/keys/{shared.uid}/revoke/")
    shared.refresh_from_db()
    assert shared.revoked_at
    assert shared.key == ""


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (KeyWish("openai", ""), "model_key"),
        (KeyWish("openai", "sk-sandbox-refused"), "model_key"),
        (KeyWish("openai", "sk-sandbox-without-credit"), "model_key"),
        (KeyWish("nobody", "sk"), "model_provider"),
        (KeyWish("openai", "sk", model="a b"), "model"),
        (KeyWish("openai", "sk", monthly_micros=0), "budget"),
        (KeyWish("openai", "sk", payer_uid="nobody"), "payer_uid"),
        (KeyWish("compatible", "sk", model="m"), "base_url"),
        (
            KeyWish("compatible", "sk", model="m", base_url="ftp://models.example.org/v1"),
            "base_url",
        ),
        (KeyWish("compatible", "sk", model="m", base_url="http://10.0.0.1/v1"), "model_key"),
        (KeyWish("compatible", "sk", base_url="https://models.example.org/v1"), "model"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.provider,
)
def test_a_key_that_cannot_be_shared_is_told_at_its_field(
    people: People, wish: KeyWish, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        add_shared_key(actor=people.alice, account=people.cast.account, door=Door.WEB, wish=wish)
    assert refused.value.field == field
    assert SharedKey.objects.count() == 1


def test_a_new_agent_thinks_with_the_shared_key_first(people: People) -> None:
    scenes.prices()
    page = browser(people.bob).get("/agents/new/").content.decode()
    shared = people.cast.shared
    assert f'value="shared:{shared.uid}" checked' in page
    made = create_agent(
        actor=people.bob, account=people.cast.account, door=Door.WEB, wish=AgentWish("Nina")
    )
    assert made.shared_key == shared
    assert made.ai_budget_micros == 10 * EUR
    assert made.model_key == ""
    assert made.relay_key.startswith("farm-")
    with pytest.raises(Refused) as refused:
        create_agent(
            actor=people.bob,
            account=people.cast.account,
            door=Door.WEB,
            wish=AgentWish("Rich", shared_key_uid=shared.uid, ai_budget_micros=11 * EUR),
        )
    assert refused.value.field == "ai_budget_micros"
    rich = AgentWish("Rich", shared_key_uid=shared.uid, ai_budget_micros=11 * EUR)
    made = create_agent(actor=people.alice, account=people.cast.account, door=Door.WEB, wish=rich)
    assert made.ai_budget_micros == 11 * EUR
    elsewhere = account_of(user=people.charlie)
    with pytest.raises(Refused) as refused:
        create_agent(actor=people.charlie, account=elsewhere, door=Door.WEB, wish=rich)
    assert refused.value.field == "shared_key_uid"


def test_a_key_without_credit_makes_an_agent(
    people: People, outside: RunningSandbox, settings: Settings
) -> None:
    scenes.prices()
    poor = outside.report.services.model.key_without_credit
    wish = AgentWish("Poor", model_provider="openai", model_key=poor)
    agent = create_agent(actor=people.bob, account=people.cast.account, door=Door.WEB, wish=wish)
    assert agent.model_key == poor
    agent.reason = "credit_awaited"
    agent.save()
    page = browser(people.bob).get(f"/agents/{agent.uid}/").content.decode()
    assert "Your agent is ready; it answers as soon as your account there has credit." in page
    assert "Use the key of" in page
    shared = people.cast.shared
    browser(people.bob).post(f"/agents/{agent.uid}/shared-key/", {"key": shared.uid})
    agent.refresh_from_db()
    assert agent.shared_key == shared
    assert agent.model_key == ""
    assert agent.generation == 2


def test_a_renewed_key_voids_the_old_one(people: People) -> None:
    agent = people.cast.agent
    before = agent.relay_key
    browser(people.bob).post(f"/agents/{agent.uid}/relay-key/")
    agent.refresh_from_db()
    assert agent.relay_key not in ("", before)
    assert not Agent.objects.filter(relay_key_hash=hash_of(before)).exists()
    assert agent.generation == 2
