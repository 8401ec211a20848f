"""A new agent through its page: defaults, prices, refusals at their field."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from farm.agents.models import Agent, Offer
from tests.farm.web import scenes

KEY = "sk-ant-never-shown-again"


@pytest.fixture(autouse=True)
def own_model(settings: Settings) -> None:
    """The sandbox's model needs no key and is asked for nothing."""
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:9/v1"
    settings.SANDBOX_MODEL, settings.SANDBOX_MODEL_KEY = "sandbox-1", "key"


def fields_of(page: str) -> dict[str, str]:
    """What the form would send as it stands."""
    inputs = re.findall(r"<input [^>]*>", page.partition('action="/agents/new/"')[2])
    sent = {}
    for field in inputs:
        name, value = re.search(r'name="(\w+)"', field), re.search(r'value="([^"]*)"', field)
        if name and value and ("radio" not in field or " checked" in field):
            sent[name[1]] = value[1]
    return sent


def page_of(client: Client, language: str = "en") -> str:
    """The page of a new agent."""
    return client.get("/agents/new/", headers={"accept-language": language}).content.decode()


def test_one_click_is_enough(alice: Client) -> None:
    answer = alice.post("/agents/new/", fields_of(page_of(alice)))
    agent = Agent.objects.get()
    assert answer["Location"] == f"/agents/{agent.uid}/"
    assert (agent.blueprint, agent.plan, agent.region) == ("assistant", "small", "germany")
    assert agent.language == "en"
    assert agent.agreed_hourly_micros == 7_900


def test_it_speaks_the_language_of_the_page(alice: Client) -> None:
    french = {"accept-language": "fr"}
    alice.post("/agents/new/", fields_of(page_of(alice, "fr")), headers=french)
    assert Agent.objects.get().language == "fr"


def test_the_button_says_the_price(alice: Client) -> None:
    assert "Create - 0.0079\xa0EUR/h, never more than 4.91\xa0EUR a month" in page_of(alice)
    assert "Créer - 0,0079\xa0EUR/h, jamais plus de 4,91\xa0EUR HT par mois" in page_of(alice, "fr")


def test_the_price_follows_the_choice(alice: Client) -> None:
    part = alice.get("/agents/new/offer/", {"plan": "large", "region": "finland"}).content.decode()
    assert "0.0131\xa0EUR/h" in part
    assert "8 GB - Finland (Hetzner)" in part


def test_without_a_price_nothing_can_be_bought(alice: Client) -> None:
    Offer.objects.all().delete()
    page = page_of(alice)
    assert "seen_hourly" not in fields_of(page)
    assert re.search(r'<button[^>]* type="submit" disabled>', page)
    assert "every 2s" in page
    answer = alice.post("/agents/new/", {"name": "Nino"})
    assert answer.status_code == 422
    assert 'id="plan_error"' in answer.content.decode()
    assert not Agent.objects.exists()


def test_a_price_that_changed_is_read_again_first(alice: Client) -> None:
    fields = fields_of(page_of(alice))
    Offer.objects.update(hourly_micros=9_100)
    answer = alice.post("/agents/new/", fields)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The price has changed" in page
    assert "0.0099\xa0EUR/h" in page
    assert alice.post("/agents/new/", fields_of(page)).status_code == 302


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "admin", "a\u202eb", "\x07bell"])
def test_a_wrong_name_is_told_at_its_field(alice: Client, name: str) -> None:
    answer = alice.post("/agents/new/", {**fields_of(page_of(alice)), "name": name})
    assert answer.status_code == 422
    assert 'id="name_error"' in answer.content.decode()
    assert not Agent.objects.exists()


@pytest.mark.parametrize("field", ["blueprint", "plan", "region", "model_provider"])
def test_an_unknown_choice_is_told_at_its_field(alice: Client, field: str) -> None:
    answer = alice.post("/agents/new/", {**fields_of(page_of(alice)), field: "<b>nonsense"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{field}_error"' in page
    assert "<b>nonsense" not in page


def test_a_missing_key_is_asked_for_and_nothing_else_is_lost(alice: Client) -> None:
    wish = {"name": "Iris", "blueprint": "developer", "plan": "large", "region": "finland"}
    answer = alice.post("/agents/new/", {**wish, "model_provider": "anthropic", "model_key": ""})
    page = answer.content.decode()
    assert 'id="model_key_error"' in page
    assert '<details class="fold" open>' in page
    kept = fields_of(page)
    assert {name: kept[name] for name in wish} == wish
    assert kept["model_provider"] == "anthropic"


def test_a_key_is_never_sent_back(alice: Client) -> None:
    wish = {"name": "", "model_provider": "anthropic", "model_key": KEY}
    page = alice.post("/agents/new/", wish).content.decode()
    assert KEY not in page
    assert "paste it once more" in page


def test_a_name_of_ones_own_is_not_offered_twice(people: scenes.People, alice: Client) -> None:
    taken = fields_of(page_of(alice))["name"]
    scenes.agent(people.alice, taken)
    assert fields_of(page_of(alice))["name"] != taken
