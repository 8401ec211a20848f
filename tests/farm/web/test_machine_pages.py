"""Another size, another place, a fresh machine: what is read before, and what is refused where."""

from __future__ import annotations

import pytest
from django.test import Client

from farm.agents.models import Agent, AgentPhase, Offer, Operation, OperationKind, ServerPhase
from tests.farm.web import scenes, sleep_scenes
from tests.farm.web.test_agent_pages import page

CHANGES = (OperationKind.RESIZE, OperationKind.MOVE, OperationKind.REBUILD)


@pytest.fixture
def nino(people: scenes.People) -> Agent:
    """Alice's running agent."""
    return scenes.running(scenes.agent(people.alice))


def test_every_choice_has_its_price(alice: Client, nino: Agent) -> None:
    shown = page(alice, nino, "machine/")
    assert "This is what it has, for 0.0079\xa0EUR an hour." in shown
    assert "0.0131\xa0EUR an hour instead of 0.0079\xa0EUR" in shown
    assert "about 2 minutes" in shown
    assert "the farm pays the second one" in shown
    assert f'href="/agents/{nino.uid}/move/?region=finland"' in shown


def test_another_size_is_asked_for(alice: Client, nino: Agent) -> None:
    path = f"/agents/{nino.uid}/resize/"
    assert alice.post(path, {"plan": "large", "seen": "13100"}).status_code == 302
    assert nino.operations.get(kind=OperationKind.RESIZE)
    assert "Nino gets another size" in page(alice, nino)


def test_a_size_that_got_dearer_is_asked_again(alice: Client, nino: Agent) -> None:
    refused = alice.post(f"/agents/{nino.uid}/resize/", {"plan": "large", "seen": "100"})
    assert refused.status_code == 422
    assert 'id="plan_error"' in refused.content.decode()
    assert not nino.operations.filter(kind=OperationKind.RESIZE).exists()


def test_what_cannot_be_is_told_at_its_field(alice: Client, nino: Agent) -> None:
    for path, sent, field, words in (
        ("resize", {"plan": "small"}, "plan_error", "It has this size already"),
        ("resize", {"plan": "huge"}, "plan_error", "There is no “huge” here"),
        ("move", {"region": "moon"}, "region_error", "There is no “moon” here"),
        ("move", {"region": "germany"}, "region_error", "It is there already"),
    ):
        refused = alice.post(f"/agents/{nino.uid}/{path}/", sent)
        assert refused.status_code == 422
        shown = refused.content.decode()
        assert f'id="{field}"' in shown
        assert words in shown


def test_sold_out_is_said_before_it_is_pressed(alice: Client, nino: Agent) -> None:
    Offer.objects.filter(server_type__in=("cx33", "cpx32", "cax21")).update(available=False)
    assert "Sold out there now." in page(alice, nino, "machine/")


def test_a_move_says_what_stays_behind(alice: Client, nino: Agent) -> None:
    shown = page(alice, nino, "move/", region="finland")
    assert "programs that it installed on its machine" in shown
    assert "Move it - 0.0079\xa0EUR an hour" in shown
    alice.post(f"/agents/{nino.uid}/move/", {"region": "finland", "seen": "7900"})
    assert nino.operations.get(kind=OperationKind.MOVE)
    assert "Never mind, leave it as it is" in page(alice, nino)
    assert alice.post(f"/agents/{nino.uid}/machine/back/").status_code == 302
    nino.refresh_from_db()
    assert nino.region == "germany"


def test_a_fresh_machine_is_confirmed_first(alice: Client, nino: Agent) -> None:
    assert "This does not:" in page(alice, nino, "rebuild/")
    assert not nino.operations.filter(kind=OperationKind.REBUILD).exists()
    assert alice.post(f"/agents/{nino.uid}/rebuild/").status_code == 302
    assert nino.operations.get(kind=OperationKind.REBUILD)


def test_a_change_that_came_to_nothing_is_told(alice: Client, nino: Agent) -> None:
    sleep_scenes.came_to_nothing(nino, OperationKind.RESIZE, "rejected")
    assert "The cloud refuses to make such a machine." in page(alice, nino)


def test_one_whose_machine_is_lost_comes_back_from_its_backup(
    people: scenes.People, alice: Client
) -> None:
    row = scenes.running(scenes.agent(people.alice))
    scenes.backup(row, days=2)
    row.servers.update(phase=ServerPhase.LOST)
    row.reason = "server_lost"
    sleep_scenes.move(row, AgentPhase.FAILED)
    assert "What it had 2 days ago is kept" in page(alice, row)
    assert "it comes back as it was 2 days ago" in page(alice, row, "rebuild/")
    assert alice.post(f"/agents/{row.uid}/rebuild/").status_code == 302
    row.refresh_from_db()
    assert row.restore_from


def test_one_that_is_changed_waits(alice: Client, nino: Agent) -> None:
    sleep_scenes.changing(nino, OperationKind.RESIZE, AgentPhase.RESIZING)
    assert "I give its machine the other size" in page(alice, nino)
    refused = alice.post(f"/agents/{nino.uid}/rebuild/")
    assert "Only an agent that runs can be changed so" in refused.content.decode()


def test_team_mates_and_strangers_may_not(bob: Client, charlie: Client, nino: Agent) -> None:
    for other in (bob, charlie):
        for path in ("machine", "move", "rebuild"):
            assert other.get(f"/agents/{nino.uid}/{path}/").status_code == 404
        for path in ("resize", "move", "rebuild", "machine/back"):
            sent = {"plan": "large", "region": "finland"}
            assert other.post(f"/agents/{nino.uid}/{path}/", sent).status_code == 404
    assert not Operation.objects.filter(kind__in=CHANGES).exists()
