"""In which order the edge's addresses reach firewalls and gateways, and leave them."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.agents.admission import gateway_sources
from farm.agents.models import Agent, EdgeRound, OperationKind
from farm.agents.passes import edge_of, mark_written
from farm.agents.reconciler.buying import firewall_at
from farm.agents.reconciler.edges import ensure_edge_rounds, out_of_step, tell_anew
from tests.farm.web import scenes

OLD, NEW = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def nino(people: scenes.People, settings: Settings) -> Agent:
    """Alice's agent, whose gateway knows the old address."""
    settings.EDGE, settings.EDGE_ADDRESSES = True, [OLD]
    agent = scenes.running(scenes.agent(people.alice))
    mark_written(agent, edge_of(agent))
    return agent


def let_in(agent: Agent) -> list[str]:
    """Whom the cloud's firewall lets through to gateways."""
    rules = firewall_at(agent.servers.get().provider).rules
    return [source for rule in rules if rule.port == 18789 for source in rule.sources]


def test_a_new_address_is_let_in_before_gateways_hear_of_it(
    nino: Agent, settings: Settings
) -> None:
    assert out_of_step("hetzner") == []
    settings.EDGE_ADDRESSES = [OLD, NEW]
    assert let_in(nino) == [f"{OLD}/32", f"{NEW}/32"]
    assert out_of_step("hetzner") == [nino]


def test_an_old_address_stays_until_no_gateway_believes_it(nino: Agent, settings: Settings) -> None:
    settings.EDGE_ADDRESSES = [NEW]
    assert let_in(nino) == [f"{OLD}/32", f"{NEW}/32"]
    mark_written(nino, edge_of(nino))
    assert let_in(nino) == [f"{NEW}/32"]
    assert out_of_step("hetzner") == []


def test_a_farm_that_gives_its_edge_up_shuts_the_port_in_the_end(
    nino: Agent, settings: Settings
) -> None:
    settings.EDGE, settings.EDGE_ADDRESSES = False, []
    assert gateway_sources("hetzner") == [OLD]
    assert out_of_step("hetzner") == [nino]
    mark_written(nino, edge_of(nino))
    assert let_in(nino) == []


def test_a_gateway_is_told_anew_once_and_of_a_new_keeper_too(
    nino: Agent, people: scenes.People
) -> None:
    Agent.objects.filter(pk=nino.pk).update(owner=people.bob)
    (found,) = out_of_step("hetzner")
    for _ in range(2):
        tell_anew(found)
    nino.refresh_from_db()
    assert nino.generation == nino.fulfilled_generation + 1
    assert nino.operations.filter(kind=OperationKind.RECONFIGURE).count() == 1
    assert nino.due_at is not None
    assert nino.due_at <= timezone.now()


@pytest.mark.django_db
def test_a_cloud_without_an_account_has_no_round(settings: Settings) -> None:
    settings.HETZNER_TOKEN, settings.SCALEWAY_SECRET_KEY = "a" * 64, ""
    ensure_edge_rounds(timezone.now())
    assert [row.provider for row in EdgeRound.objects.all()] == ["hetzner"]
