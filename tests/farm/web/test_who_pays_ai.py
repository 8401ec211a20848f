"""AI on the pages: whose key it is, who pays, and a budget that is raised in one tap."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from farm.agents.models import Agent, Message, SharedKey
from farm.billing.models import Payer
from tests.farm.billing.scenes import agent_of, machine_of
from tests.farm.web import scenes

BUDGET = 20_000_000


@pytest.fixture
def shared(people: scenes.People) -> SharedKey:
    """A model key that Alice's account shares, charged to whoever pays for the agent."""
    return SharedKey.objects.create(
        account=people.account,
        name="Anthropic",
        provider="anthropic",
        model="claude-sonnet-4-6",
        key="sk-shared",
        monthly_micros=BUDGET,
        created_at=timezone.now(),
    )


@pytest.fixture
def ada(people: scenes.People) -> Agent:
    """Bob's agent, which runs."""
    return scenes.running(scenes.agent(people.bob, "Ada"))


def thinks(agent: Agent, key: SharedKey | None, provider: str = "anthropic") -> None:
    """With that key, or with its owner's own."""
    budget = key.monthly_micros if key else None
    changed = {"shared_key": key, "model_provider": provider, "ai_budget_micros": budget}
    Agent.objects.filter(pk=agent.pk).update(**changed)


def page(client: Client, path: str) -> str:
    """What it says."""
    return client.get(path).content.decode()


def test_the_card_says_who_pays_for_the_ai(
    people: scenes.People, shared: SharedKey, ada: Agent, alice: Client, bob: Client
) -> None:
    home = f"/agents/{ada.uid}/"
    assert "Its AI costs nothing" in page(bob, home)
    thinks(ada, None)
    assert "Its AI runs on your own key: Anthropic bills you for it." in page(bob, home)
    assert "Its AI runs on Bob&#x27;s own key: Anthropic bills them for it." in page(alice, home)
    thinks(ada, shared)
    assert "Alice pays for its AI" in page(bob, home)
    sales = Payer.objects.create(account=people.account, name="Sales", created_at=timezone.now())
    SharedKey.objects.update(payer_uid=sales.uid)
    assert "Sales pays for its AI" in page(bob, home)
    assert "Alice pays for its machine, Sales for its AI" in page(bob, "/money/")
    assert "by a shared key that Sales pays for" in page(bob, "/money/")


def test_whose_payer_pays_the_machine_pays_the_ai_of_a_key_that_names_nobody(
    people: scenes.People, shared: SharedKey, ada: Agent, alice: Client, bob: Client
) -> None:
    thinks(ada, shared)
    sales = Payer.objects.create(account=people.account, name="Sales", created_at=timezone.now())
    sent = {"shared_key_uid": shared.uid, "payer_uid": sales.uid, "budget": "5"}
    invited = alice.post(f"/accounts/{people.account.uid}/invitations/new/", sent).content.decode()
    assert "Sales pays for hosting and AI, up to 5.00\xa0EUR of AI a month." in invited


def test_one_tap_raises_a_budget_once(
    people: scenes.People, shared: SharedKey, alice: Client, bob: Client
) -> None:
    ada = agent_of(people.bob, people.account, "Ada", timezone.now())
    machine_of(ada, created=timezone.now(), serving=timezone.now())
    thinks(ada, shared)
    money = f"/accounts/{people.account.uid}/money/"
    said = page(alice, money)
    assert "AI up to 20.00\xa0EUR a month" in said
    assert 'name="budget" value="25.00"' in said
    tap = {"budget": "25.00", "back": "money"}
    assert bob.post(f"/agents/{ada.uid}/budget/", tap).status_code == 403
    for _ in range(2):
        answer = alice.post(f"/agents/{ada.uid}/budget/", tap, follow=True)
        assert "Ada may spend 25.00\xa0EUR a month on AI" in answer.content.decode()
        assert answer.redirect_chain[-1][0] == money
    ada.refresh_from_db()
    assert ada.ai_budget_micros == 25_000_000


def test_the_sentence_of_a_used_up_budget_leads_to_its_page(ada: Agent, bob: Client) -> None:
    words = "I have reached my budget. [Ask for more]"
    scenes.says(
        ada, Message.Author.AGENT, f"{words}(http://localhost:8000/agents/{ada.uid}/budget/)"
    )
    scenes.says(ada, Message.Author.AGENT, "[Look here](https://evil.example.org/)")
    scenes.says(ada, Message.Author.AGENT, "[And here](http://localhost:8000//evil.example.org/)")
    said = page(bob, f"/agents/{ada.uid}/")
    assert f'<a href="/agents/{ada.uid}/budget/">Ask for more</a>' in said
    assert "[Look here](https://evil.example.org/)" in said
    assert 'href="/evil.example.org/"' in said


def test_what_was_sent_again_is_not_offered_again(ada: Agent, bob: Client) -> None:
    author, lost = Message.Author.MEMBER, Message.State.FAILED
    line = scenes.says(ada, author, "Hm?", lost, "turn_failed")
    again = f"/agents/{ada.uid}/say/{line.pk}/again/"
    assert again in page(bob, f"/agents/{ada.uid}/")
    for _ in range(2):
        assert bob.post(again).status_code == 302
    assert ada.messages.filter(text="Hm?").count() == 2
    assert again not in page(bob, f"/agents/{ada.uid}/")
