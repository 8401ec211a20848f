"""One budget for all workers: nothing is given twice, and the cloud's own count corrects it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from farm.agents.models import ProviderProject, RequestBudget
from farm.agents.projects import project_of
from farm.agents.request_budgets import ProjectBudget, bucket_of, budget_of, micros_of
from provisioning.budget import NO_BUDGET, OutOfBudget, Told, Urgency

WORKERS, EACH_ASKS, LEFT = 5, 12, 40
DAY_US = 86_400 * 10**6


def member(project: ProviderProject) -> ProjectBudget:
    """What an adapter asks that somebody waits for."""
    return ProjectBudget(project.pk, Urgency.MEMBER)


def sweep(project: ProviderProject) -> ProjectBudget:
    """What a sweep's adapter asks."""
    return ProjectBudget(project.pk, Urgency.BACKGROUND)


def shrink(project: ProviderProject, left: int, *, reserve: int = 0) -> None:
    """A bucket with so many left that fills in years."""
    budget_of(project.pk)
    RequestBudget.objects.update(limit=left, each_us=DAY_US, reserve=reserve, full_at_us=0)


def taken(budget: ProjectBudget, tries: int) -> int:
    """How many of so many tries were given a request."""
    given = 0
    for _ in range(tries):
        try:
            budget.ask()
        except OutOfBudget:
            continue
        given += 1
    return given


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_none_is_given_what_another_has() -> None:
    project = project_of("hetzner")
    shrink(project, LEFT)
    given: list[int] = []
    start = threading.Barrier(WORKERS)

    def ask() -> None:
        start.wait()
        given.append(taken(member(project), EACH_ASKS))
        connections.close_all()

    workers = [threading.Thread(target=ask) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(given) == LEFT < WORKERS * EACH_ASKS
    assert RequestBudget.objects.get().asked == LEFT


@pytest.mark.django_db
def test_the_reserve_is_for_what_members_wait_for() -> None:
    project = project_of("hetzner")
    shrink(project, 10, reserve=4)
    assert taken(sweep(project), 10) == 6
    assert taken(member(project), 10) == 4
    with pytest.raises(OutOfBudget) as refused:
        member(project).ask()
    assert refused.value.code == NO_BUDGET
    assert refused.value.retry_after


@pytest.mark.django_db
def test_the_first_request_is_given_and_the_answers_correct_the_count() -> None:
    project = project_of("hetzner")
    member(project).ask()
    row = RequestBudget.objects.get()
    assert (row.limit, row.asked) == (3600, 1)
    member(project).learn(Told(limit=3600, remaining=17))
    assert 16 <= bucket_of(budget_of(project.pk)).left(timezone.now()) <= 17
    # An answer that was written before others were asked for takes nothing back.
    member(project).learn(Told(remaining=40))
    assert bucket_of(budget_of(project.pk)).left(timezone.now()) <= 18
    # A count that is far from the cloud's own is of requests that never reached it.
    member(project).learn(Told(remaining=3000))
    assert bucket_of(budget_of(project.pk)).left(timezone.now()) > 2900


@pytest.mark.django_db
def test_another_limit_is_learnt() -> None:
    project = project_of("scaleway")
    member(project).learn(Told(limit=7200, remaining=7199))
    row = RequestBudget.objects.get()
    assert (row.limit, row.each_us, row.reserve) == (7200, 500_000, 1200)


@pytest.mark.django_db
def test_a_refusal_closes_it_for_every_worker_until_the_reset() -> None:
    project = project_of("hetzner")
    member(project).ask()
    sweep(project).learn(Told(limit=3600, refused_for=200))
    assert taken(member(project), 1) == 0
    now = timezone.now()
    assert timedelta(seconds=190) < member(project).wait() <= timedelta(seconds=200)
    RequestBudget.objects.update(closed_until_us=micros_of(now))
    # It is open again, and as empty as the cloud said.
    assert member(project).wait() < timedelta(seconds=2)
    assert bucket_of(budget_of(project.pk)).left(now) == 0


@pytest.mark.django_db
def test_projects_have_budgets_of_their_own() -> None:
    first = project_of("hetzner")
    second = ProviderProject.objects.create(provider="hetzner", name="second")
    shrink(first, 2)
    assert taken(member(first), 5) == 2
    assert taken(member(second), 5) == 5
