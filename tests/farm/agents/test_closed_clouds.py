"""A cloud that makes no machines for the farm is passed over for the next one of the ladder."""

from __future__ import annotations

import pytest

from farm.agents.models import PlacingReason, ProviderProject
from farm.agents.placement import other_way_is_open
from farm.agents.projects import FULL, REFUSES, project_of
from farm.agents.rungs import choose
from farm.billing.prices import Rate
from farm.catalog import catalog
from tests.farm.web import scenes

AGREED = Rate(7_900, 4_902_000, "EUR")


@pytest.mark.parametrize(
    ("reason", "why"), [(FULL, PlacingReason.FULL), (REFUSES, PlacingReason.FAILED)]
)
def test_a_closed_cloud_comes_after_every_other(
    people: scenes.People, reason: str, why: PlacingReason
) -> None:
    agent = scenes.agent(people.alice)
    agent.region = "europe"
    plan, region = catalog().plans.get("small"), catalog().regions.get("europe")
    first = choose(plan, region, AGREED).rung
    assert first
    assert first.provider == "hetzner"
    for cloud in ("hetzner", "scaleway"):
        project_of(cloud)
    ProviderProject.objects.filter(provider="hetzner").update(reason=reason)
    choice = choose(plan, region, AGREED)
    assert choice.rung
    assert choice.rung.provider == "scaleway"
    assert {passed.why for passed in choice.passed} == {why}
    assert other_way_is_open(agent)
    ProviderProject.objects.update(reason=reason)
    assert choose(plan, region, AGREED).rung == first
    assert not other_way_is_open(agent)
