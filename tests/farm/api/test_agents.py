"""Agents through the API: the same services, rights and refusals as on the pages."""

from __future__ import annotations

import pytest

from farm.accounts.models import AuditEntry, Door
from farm.accounts.tokens import Scope
from farm.agents.models import Agent, Operation, OperationKind
from tests.farm.api.conftest import Caller, caller
from tests.farm.web import scenes


@pytest.fixture
def nino(people: scenes.People) -> Agent:
    """Alice's running agent."""
    return scenes.running(scenes.agent(people.alice))


def test_an_agent_is_asked_for_and_shown(people: scenes.People, alice: Caller) -> None:
    asked = alice.post("agents/", {"name": "Ada", "language": "fr"})
    assert asked.status_code == 202, asked.data
    assert asked.data["phase"] == "placing"
    shown = alice.get(f"agents/{asked.data['uid']}/")
    assert shown.data == asked.data
    assert shown.data["owner"] == "alice@example.org"
    entry = AuditEntry.objects.get(verb="create agent")
    assert (entry.actor, entry.door, entry.subject) == (people.alice, Door.API, asked.data["uid"])


def test_a_refusal_names_its_field_and_leaves_nothing(alice: Caller) -> None:
    refused = alice.post("agents/", {"name": "Ada", "plan": "gigantic"})
    assert refused.status_code == 422
    assert refused.data["field"] == "plan"
    assert "Choose one of" in refused.data["error"]
    assert not Agent.objects.exists()


def test_bad_input_is_told_at_its_field(alice: Caller) -> None:
    for body, field in (
        ({}, "name"),
        ({"name": 7}, "name"),
        ({"name": "A", "language": "xx"}, "language"),
    ):
        refused = alice.post("agents/", body)
        assert (refused.status_code, refused.data["field"]) == (400, field)


def test_secrets_are_taken_and_never_shown(people: scenes.People, alice: Caller) -> None:
    agent = scenes.running(scenes.agent(people.alice))
    Agent.objects.filter(pk=agent.pk).update(model_key="sk-very-secret")
    for path in ("agents/", f"agents/{agent.uid}/", f"agents/{agent.uid}/events/"):
        said = alice.get(path).content.decode()
        assert "sk-very-secret" not in said
        assert agent.gateway_token not in said


def test_lists_come_in_pieces(people: scenes.People, alice: Caller) -> None:
    uids = [scenes.agent(people.alice, f"Ada {n}").uid for n in range(5)]
    first = alice.get("agents/?limit=2").data
    second = alice.get(f"agents/?limit=2&after={first['next']}").data
    third = alice.get(f"agents/?limit=2&after={second['next']}").data
    pieces = [*first["items"], *second["items"], *third["items"]]
    assert [item["uid"] for item in pieces] == uids[::-1]
    assert third["next"] is None
    assert alice.get("agents/?after=nothing").status_code == 422


def test_events_and_cost_are_told(nino: Agent, alice: Caller) -> None:
    assert "running" in [
        item["code"] for item in alice.get(f"agents/{nino.uid}/events/").data["items"]
    ]
    cost = alice.get(f"agents/{nino.uid}/cost/").data
    assert cost["currency"] == "EUR"
    assert cost["monthly_cap_micros"] >= cost["hourly_micros"] > 0


def test_an_agent_is_restarted_and_deleted(nino: Agent, alice: Caller) -> None:
    assert alice.post(f"agents/{nino.uid}/restart/").data["kind"] == OperationKind.RESTART
    ended = alice.delete(f"agents/{nino.uid}/")
    assert (ended.status_code, ended.data["kind"]) == (202, OperationKind.DELETE)
    assert alice.delete(f"agents/{nino.uid}/").data == ended.data
    assert alice.post(f"agents/{nino.uid}/restart/").status_code == 422


def test_strangers_and_team_mates_learn_nothing(nino: Agent, bob: Caller, charlie: Caller) -> None:
    for other in (bob, charlie):
        answers = [
            other.get(f"agents/{nino.uid}/"),
            other.get(f"agents/{nino.uid}/events/"),
            other.get(f"agents/{nino.uid}/cost/"),
            other.post(f"agents/{nino.uid}/restart/"),
            other.post(f"agents/{nino.uid}/retry/"),
            other.delete(f"agents/{nino.uid}/"),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert other.get("agents/").data["items"] == []
    assert not Operation.objects.filter(kind=OperationKind.DELETE).exists()


def test_a_token_does_only_what_its_scopes_name(people: scenes.People, nino: Agent) -> None:
    reader = caller(people.alice, Scope.AGENTS_READ)
    assert reader.get(f"agents/{nino.uid}/").status_code == 200
    assert reader.get(f"agents/{nino.uid}/cost/").status_code == 403
    assert reader.delete(f"agents/{nino.uid}/").status_code == 403
    assert reader.post("agents/", {"name": "Ada"}).status_code == 403
    assert reader.get("accounts/").status_code == 403
    assert Agent.objects.count() == 1


def test_an_agent_is_made_only_in_an_account_of_ones_own(
    people: scenes.People, charlie: Caller
) -> None:
    refused = charlie.post("agents/", {"name": "Ada", "account": people.account.uid})
    assert (refused.status_code, refused.data["field"]) == (422, "account")
    assert not Agent.objects.exists()
