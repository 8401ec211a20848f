"""Of many workers one drives a row; what another one learned meanwhile is not written."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.agents.models import Agent, Message
from farm.agents.reconciler.claims import Claim, LeaseLost, claim
from farm.agents.reconciler.messages import its_turn
from tests.farm.web import scenes

WORKERS, ROWS = 6, 12


def due_agents(count: int) -> list[int]:
    """So many agents that are due now."""
    owner = scenes.person("alice")
    agents = [scenes.agent(owner, f"Ada{number}") for number in range(count)]
    Agent.objects.update(due_at=timezone.now())
    return [agent.pk for agent in agents]


@pytest.mark.django_db(transaction=True)
def test_every_row_is_claimed_once_however_many_reach_for_it() -> None:
    pks = due_agents(ROWS)
    won: list[int] = []
    start = threading.Barrier(WORKERS)

    def reach() -> None:
        start.wait()
        won.extend(pk for pk in pks if claim(Agent, pk, timezone.now()))
        connections.close_all()

    workers = [threading.Thread(target=reach) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(won) == sorted(pks)


def taken(pk: int) -> Claim[Agent]:
    claimed = claim(Agent, pk, timezone.now())
    assert claimed is not None
    return claimed


def expire(pk: int) -> None:
    Agent.objects.filter(pk=pk).update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_claim_that_ran_out_is_free_for_another_and_writes_no_more() -> None:
    (pk,) = due_agents(1)
    first = taken(pk)
    assert claim(Agent, pk, timezone.now()) is None
    expire(pk)
    second = taken(pk)
    first.row.reason = "from the dead"
    with pytest.raises(LeaseLost), first.recording():
        first.save("reason")
    assert Agent.objects.get(pk=pk).reason == ""
    with second.recording():
        second.save("reason")


@pytest.mark.django_db
def test_a_bell_that_rings_during_a_step_is_heard() -> None:
    (pk,) = due_agents(1)
    claimed = taken(pk)
    Agent.objects.filter(pk=pk).update(due_at=timezone.now())
    claimed.close(None)
    assert claim(Agent, pk, timezone.now()) is not None


@pytest.mark.django_db
def test_a_row_that_was_put_off_is_left_alone() -> None:
    (pk,) = due_agents(1)
    taken(pk).close(timezone.now() + timedelta(hours=1))
    assert claim(Agent, pk, timezone.now()) is None
    assert claim(Agent, pk, timezone.now() + timedelta(hours=2)) is not None


@pytest.mark.django_db
def test_a_renewed_claim_outlives_its_first_lease(settings: Settings) -> None:
    (pk,) = due_agents(1)
    claimed = taken(pk)
    expire(pk)
    assert claimed.renew()
    assert claim(Agent, pk, timezone.now()) is None
    claimed.release()
    assert claim(Agent, pk, timezone.now()) is not None
    assert not claimed.renew()


@pytest.mark.django_db
def test_a_conversation_is_carried_one_turn_at_a_time_and_in_order() -> None:
    agent = scenes.running(scenes.agent(scenes.person("alice")))
    Message.objects.filter(agent=agent).update(state=Message.State.ANSWERED)
    now = timezone.now()
    first, second = (
        Message.objects.create(
            agent=agent,
            author=Message.Author.MEMBER,
            text=text,
            at=now,
            due_at=now,
            state=Message.State.QUEUED,
        )
        for text in ("one", "two")
    )
    assert claim(Message, second.pk, timezone.now(), its_turn()) is None
    held = claim(Message, first.pk, timezone.now(), its_turn())
    assert held is not None
    Message.objects.filter(pk=first.pk).update(state=Message.State.SENT)
    assert claim(Message, second.pk, timezone.now(), its_turn()) is None
    Message.objects.filter(pk=first.pk).update(state=Message.State.ANSWERED)
    assert claim(Message, second.pk, timezone.now(), its_turn()) is not None
