"""What a pool orders and lets go, who may claim what, and which image a machine starts from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.agents.images.tidying import retire
from farm.agents.models import (
    AccountProject,
    Agent,
    GatewayPass,
    Offer,
    Pool,
    PooledServer,
    ProviderProject,
    Server,
    ServerImage,
    ServerPhase,
)
from farm.agents.passes import edge_of, edge_of_nobody
from farm.agents.projects import FULL, project_of
from farm.agents.reconciler.claims import claim
from farm.agents.reconciler.driving import POOLED
from farm.agents.reconciler.machines import urgency_of
from farm.agents.reconciler.pool_claims import claim_ready
from farm.agents.reconciler.pools import drive_pool
from farm.agents.reconciler.prebuilt import prebuilt_for
from farm.billing.prices import Rate, pin_prices
from farm.catalog import catalog
from provisioning.budget import Urgency
from tests.farm.web import scenes

VERSION = catalog().runtime_version


@pytest.fixture
def pool(people: scenes.People) -> Pool:
    """One small machine in Germany, at today's price."""
    return Pool.objects.create(
        plan="small",
        region="germany",
        size=1,
        agreed_hourly_micros=7_900,
        agreed_monthly_micros=7_900 * 744,
        agreed_currency="EUR",
        due_at=timezone.now(),
    )


def drive(pool: Pool) -> None:
    """One step of it."""
    Pool.objects.filter(pk=pool.pk).update(due_at=timezone.now(), lease_token="", lease_until=None)
    taken = claim(Pool, pool.pk, timezone.now())
    assert taken
    taken.close(timezone.now() + (drive_pool(taken) or timedelta()))


def there(pool: Pool) -> list[Server]:
    """Its machines that are not to go."""
    return list(Server.objects.filter(pooled__pool=pool, wanted_gone=False).order_by("pk"))


def warm(pool: Pool, *, hourly: int = 7_100) -> Server:
    """One that stands ready, bought at that price an hour."""
    now = timezone.now()
    server = Server.objects.create(
        provider="hetzner",
        project=project_of("hetzner"),
        server_type="cx23",
        location="nbg1",
        requested_at=now,
        created_at=now,
        phase=ServerPhase.READY,
        phase_since=now,
        warmed_at=now,
    )
    rate = Rate(hourly, hourly * 620, "EUR")
    pin_prices(server_uid=server.uid, at=now, server=rate, ipv4=Rate(800, 500_000, "EUR"))
    PooledServer.objects.create(
        server=server,
        pool=pool,
        step=PooledServer.Step.WARM,
        step_since=now,
        gateway_token="of-this-machine",
        runtime_version=VERSION,
    )
    return server


def asks(agent: Agent) -> bool:
    """Whether the agent gets one."""
    Agent.objects.filter(pk=agent.pk).update(due_at=timezone.now())
    taken = claim(Agent, agent.pk, timezone.now())
    assert taken
    got = claim_ready(taken)
    taken.close(None)
    return got


def test_it_orders_up_to_its_number_and_nobody_waits_for_that(pool: Pool) -> None:
    for _ in range(3):
        drive(pool)
    (server,) = there(pool)
    assert (server.agent, server.joined_at) == (None, None)
    assert urgency_of(server) is Urgency.BACKGROUND


def test_it_buys_nothing_above_the_price_that_was_shown(pool: Pool) -> None:
    Offer.objects.update(hourly_micros=9_000)
    drive(pool)
    pool.refresh_from_db()
    assert (there(pool), pool.reason) == ([], "pool_waits")


def test_it_leaves_the_last_places_to_members(pool: Pool, settings: Settings) -> None:
    settings.CLOUD_MACHINES_MOST, settings.POOL_LEAVES_FREE = 2, 2
    drive(pool)
    assert there(pool) == []
    settings.POOL_LEAVES_FREE = 1
    drive(pool)
    assert len(there(pool)) == 1


def test_it_gives_its_place_to_an_agent_that_waits_in_a_full_project(
    pool: Pool, people: scenes.People
) -> None:
    server = warm(pool)
    ProviderProject.objects.update(reason=FULL)
    drive(pool)
    assert there(pool) == [server]
    now = timezone.now()
    Server.objects.create(
        agent=scenes.agent(people.alice),
        provider="hetzner",
        project=project_of("hetzner"),
        server_type="cx33",
        location="nbg1",
        requested_at=now,
        phase_since=now,
    )
    drive(pool)
    assert there(pool) == []


def test_what_is_too_much_goes_where_the_paid_hour_is_over_first(pool: Pool) -> None:
    fresh, old = warm(pool), warm(pool)
    Server.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(minutes=50))
    drive(pool)
    assert there(pool) == [fresh]


def test_after_three_that_did_not_come_up_it_rests(pool: Pool) -> None:
    for _ in range(3):
        server = warm(pool)
        Server.objects.filter(pk=server.pk).update(
            reason="boot_timeout", wanted_gone=True, phase=ServerPhase.GONE
        )
    drive(pool)
    pool.refresh_from_db()
    assert (there(pool), pool.reason) == ([], "machines_do_not_start")


def test_a_claim_gives_the_machine_and_what_opens_it(pool: Pool, people: scenes.People) -> None:
    server, agent = warm(pool), scenes.agent(people.alice)
    assert asks(agent)
    agent.refresh_from_db()
    server.refresh_from_db()
    assert (server.agent, agent.gateway_token) == (agent, "of-this-machine")
    assert server.joined_at
    assert not asks(scenes.agent(people.bob))


@pytest.mark.parametrize(
    "not_so",
    [
        {"wanted_gone": True},
        {"phase": ServerPhase.LOST},
        {"distrusted_at": timezone.now()},
        {"warmed_at": None},
    ],
)
def test_nobody_claims_what_is_not_ready(
    pool: Pool, people: scenes.People, not_so: dict[str, object]
) -> None:
    server = warm(pool)
    Server.objects.filter(pk=server.pk).update(**not_so)
    assert not asks(scenes.agent(people.alice))


def test_a_strange_machine_that_nobody_has_is_given_back(pool: Pool) -> None:
    server, now = warm(pool), timezone.now()
    Server.objects.filter(pk=server.pk).update(distrusted_at=now)
    PooledServer.objects.update(due_at=now)
    assert POOLED.work(PooledServer.objects.get().pk, lambda _claim: None)
    server.refresh_from_db()
    assert server.wanted_gone


def test_nobody_claims_above_the_price_agreed_to(pool: Pool, people: scenes.People) -> None:
    warm(pool, hourly=90_000)
    assert not asks(scenes.agent(people.alice))


def test_nobody_claims_another_size_place_or_runtime(pool: Pool, people: scenes.People) -> None:
    warm(pool)
    for change in ({"plan": "large"}, {"region": "finland"}, {"runtime_version": "2026.1.1"}):
        agent = scenes.agent(people.alice)
        Agent.objects.filter(pk=agent.pk).update(**change)
        assert not asks(agent)


def test_an_account_whose_machines_are_elsewhere_claims_none(
    pool: Pool, people: scenes.People
) -> None:
    warm(pool)
    agent = scenes.agent(people.alice)
    other = ProviderProject.objects.create(provider="hetzner", name="second")
    AccountProject.objects.filter(account=agent.account).delete()
    AccountProject.objects.create(account=agent.account, provider="hetzner", project=other)
    assert not asks(agent)


def test_the_gateway_keeps_its_papers_when_it_gets_its_first_keeper(
    pool: Pool, people: scenes.People, settings: Settings
) -> None:
    settings.EDGE, settings.EDGE_ADDRESSES = True, ["192.0.2.1"]
    server, agent = warm(pool), scenes.agent(people.alice)
    before = edge_of_nobody(server)
    assert before
    assert before.people == ("nobody",)
    assert asks(agent)
    after = edge_of(Agent.objects.get(pk=agent.pk))
    assert after
    assert (after.certificate, after.private_key) == (before.certificate, before.private_key)
    assert after.people == ("Alice",)
    assert GatewayPass.objects.get(server=server).keeper == agent.owner


def image(state: ServerImage.State, number: str) -> ServerImage:
    """One in the main project, good since a moment after those before it."""
    now = timezone.now()
    return ServerImage.objects.create(
        project=project_of("hetzner"),
        runtime_version=VERSION,
        node_version=catalog().node_version,
        state=state,
        asked_at=now,
        held_until=now,
        good_at=now if state == ServerImage.State.GOOD else None,
        image=number,
    )


def test_a_machine_starts_from_the_newest_image_that_was_tried(pool: Pool) -> None:
    server = warm(pool)
    assert prebuilt_for(server, VERSION) is None
    for state, number in (("good", "1"), ("good", "2"), ("trying", "3"), ("ending", "4")):
        image(ServerImage.State(state), number)
    assert prebuilt_for(server, VERSION) == "2"
    assert prebuilt_for(server, "2026.1.1") is None


def test_the_older_image_stays_while_a_machine_is_made_from_it(pool: Pool) -> None:
    server, old = warm(pool), image(ServerImage.State.GOOD, "1")
    image(ServerImage.State.GOOD, "2")
    Server.objects.filter(pk=server.pk).update(phase=ServerPhase.CREATING, image="1")
    retire(project_of("hetzner"))
    old.refresh_from_db()
    assert old.state == ServerImage.State.GOOD
    Server.objects.filter(pk=server.pk).update(phase=ServerPhase.READY)
    retire(project_of("hetzner"))
    old.refresh_from_db()
    assert old.state == ServerImage.State.ENDING
