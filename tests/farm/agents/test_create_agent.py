"""Asking for an agent: what is agreed to, what is refused, and who may."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from farm.accounts.models import AuditEntry, Door
from farm.agents import selectors, services
from farm.agents.models import Agent, AgentPhase, Offer, OperationKind
from farm.agents.refusals import Refused
from farm.agents.services import AgentWish
from tests.farm.web.scenes import People


def ask(people: People, wish: AgentWish) -> Agent:
    return services.create_agent(
        actor=people.alice, account=people.account, door=Door.WEB, wish=wish
    )


def test_a_name_is_enough(people: People) -> None:
    agent = ask(people, AgentWish(name="  Ada "))
    assert agent.name == "Ada"
    assert (agent.plan, agent.region, agent.blueprint) == ("small", "germany", "assistant")
    assert agent.phase == AgentPhase.PLACING
    assert agent.due_at is not None
    assert agent.due_at <= timezone.now()


def test_what_stood_on_the_button_is_what_was_agreed_to(people: People) -> None:
    quote = selectors.offer_for("small", "germany")
    agent = ask(people, AgentWish(name="Ada"))
    assert quote is not None
    assert agent.agreed_hourly_micros == quote.hourly_micros
    assert agent.agreed_monthly_micros == quote.at_most_monthly_micros
    assert agent.agreed_currency == "EUR"


def test_the_wish_its_event_and_its_audit_row_are_there_together(people: People) -> None:
    agent = ask(people, AgentWish(name="Ada"))
    assert agent.operations.get().kind == OperationKind.CREATE
    assert agent.events.get().code == "asked"
    entry = AuditEntry.objects.get(verb="create agent")
    assert (entry.actor, entry.door, entry.subject) == (people.alice, Door.WEB, agent.uid)


def test_two_agents_of_one_name_have_addresses_of_their_own(people: People) -> None:
    first, second = (ask(people, AgentWish(name="Zoé")) for _ in range(2))
    assert first.host == "zoe"
    assert second.host.startswith("zoe-")


def test_a_name_in_another_script_has_an_address_too(people: People) -> None:
    assert ask(people, AgentWish(name="小明")).host.startswith("agent-")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_empty"),
        ("   ", "name_empty"),
        ("x" * 41, "name_too_long"),
        ("A\nda", "name_characters"),
        ("A\u202eda", "name_characters"),
        ("!!!", "name_characters"),
        ("admin", "name_reserved"),
        ("Farm", "name_reserved"),
        ("W-W-W", "name_reserved"),
        ("4dm1n", "name_reserved"),
        ("аdmin", "name_reserved"),
    ],
)
def test_a_name_that_cannot_be_is_refused_at_its_field(
    people: People, name: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        ask(people, AgentWish(name=name))
    assert (refused.value.field, refused.value.code) == ("name", code)
    assert str(refused.value.sentence)
    assert not Agent.objects.exists()


@pytest.mark.parametrize(
    ("wish", "field", "known"),
    [
        (AgentWish(name="Ada", plan="huge"), "plan", "small, large"),
        (AgentWish(name="Ada", region="mars"), "region", "germany, finland"),
        (AgentWish(name="Ada", blueprint="thief"), "blueprint", "assistant"),
        (AgentWish(name="Ada", model_provider="nobody"), "model_provider", "anthropic"),
    ],
)
def test_what_is_not_on_sale_is_refused_with_what_is(
    people: People, wish: AgentWish, field: str, known: str
) -> None:
    with pytest.raises(Refused) as refused:
        ask(people, wish)
    assert refused.value.field == field
    assert known in str(refused.value.sentence)


def test_nothing_is_bought_while_its_price_is_not_known(people: People) -> None:
    Offer.objects.all().delete()
    with pytest.raises(Refused) as refused:
        ask(people, AgentWish(name="Ada"))
    assert (refused.value.field, refused.value.code) == ("plan", "price_unknown")


def test_a_provider_of_models_needs_a_key(people: People) -> None:
    with pytest.raises(Refused) as refused:
        ask(people, AgentWish(name="Ada", model_provider="openai"))
    assert (refused.value.field, refused.value.code) == ("model_key", "model_key_missing")


def test_a_stranger_creates_nothing_in_an_account(people: People) -> None:
    with pytest.raises(PermissionDenied):
        services.create_agent(
            actor=people.charlie,
            account=people.account,
            door=Door.WEB,
            wish=AgentWish(name="Ada"),
        )
    assert not Agent.objects.exists()


def test_a_team_mate_sees_nothing_of_an_agent_that_is_not_theirs(people: People) -> None:
    agent = ask(people, AgentWish(name="Ada"))
    assert list(selectors.agents_of(people.alice)) == [agent]
    assert not selectors.agents_of(people.bob).exists()
    with pytest.raises(Agent.DoesNotExist):
        selectors.agent_for(people.charlie, agent.uid)


def test_secrets_are_not_readable_in_the_database(people: People) -> None:
    agent = ask(people, AgentWish(name="Ada"))
    raw = Agent.objects.extra(select={"raw": "gateway_token"}).values_list("raw", flat=True)
    assert agent.gateway_token
    assert agent.gateway_token not in raw.get(pk=agent.pk)
