"""The bucket of requests by itself, and that adapters ask for each request and each retry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.sandbox.wire import JsonObject
from provisioning.budget import IN_FLIGHT, Bucket, OutOfBudget, Told, Urgency
from provisioning.errors import ProvisioningError
from provisioning.registry import Credentials, provider_for
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, cloud_at_work
from tests.sandbox.scaleway.scaleway_at_work import ScalewayAtWork, scaleway_at_work

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FULL = Bucket(limit=3600, each=SECOND, reserve=600, full_at=NOW, closed_until=NOW)


def drained(bucket: Bucket, urgency: Urgency) -> int:
    """How many requests it gives at one moment."""
    given_out = 0
    while left := bucket.take(NOW, urgency):
        bucket, given_out = left, given_out + 1
    return given_out


def test_a_full_bucket_gives_its_limit_and_keeps_the_reserve_from_sweeps() -> None:
    assert drained(FULL, Urgency.BACKGROUND) == 3000
    assert drained(FULL, Urgency.MEMBER) == 3600


def test_what_is_missing_comes_back_one_by_one() -> None:
    empty = FULL.learnt(NOW, Told(remaining=0))
    assert empty.take(NOW, Urgency.MEMBER) is None
    assert empty.wait(NOW, Urgency.MEMBER) == SECOND
    assert empty.wait(NOW, Urgency.MEMBER, 4) == 4 * SECOND
    assert empty.wait(NOW, Urgency.BACKGROUND) == 601 * SECOND
    assert empty.left(NOW + 7 * SECOND) == 7
    assert empty.take(NOW + SECOND, Urgency.MEMBER)


def test_a_refusal_closes_it_until_the_reset_but_not_until_it_is_full() -> None:
    refused = FULL.learnt(NOW, Told(refused_for=20))
    assert refused.wait(NOW, Urgency.MEMBER) == 20 * SECOND
    assert FULL.learnt(NOW, Told(refused_for=3600)).wait(NOW, Urgency.MEMBER) == 300 * SECOND


def test_a_refusal_empties_it_where_the_cloud_counts() -> None:
    later = NOW + 20 * SECOND
    assert FULL.learnt(NOW, Told(limit=3600, remaining=0, refused_for=20)).left(later) == 20
    assert FULL.learnt(NOW, Told(refused_for=20)).left(later) == 3600


def test_another_limit_fills_in_the_same_time() -> None:
    larger = FULL.learnt(NOW, Told(limit=7200))
    assert (larger.limit, larger.each, larger.reserve) == (7200, SECOND / 2, 1200)


@given(st.integers(0, 3600), st.integers(0, 3600))
def test_the_clouds_count_is_believed_but_for_what_it_cannot_have_seen(
    ours: int, told: int
) -> None:
    bucket = Bucket(3600, SECOND, 600, NOW + SECOND * (3600 - ours), NOW)
    left = bucket.learnt(NOW, Told(remaining=told)).left(NOW)
    assert left <= told
    assert left >= min(ours, told) or left >= told - IN_FLIGHT
    assert left >= told - IN_FLIGHT or left == 0


@dataclass
class Counting:
    """A budget that gives so many."""

    given: int = 1_000
    asked: int = 0
    told: list[Told] = field(default_factory=list)

    def ask(self) -> None:
        """One less."""
        if self.asked >= self.given:
            raise OutOfBudget(SECOND)
        self.asked += 1

    def learn(self, told: Told) -> None:
        """Keep it."""
        self.told.append(told)


AtWork = CloudAtWork | ScalewayAtWork


@contextmanager
def either(cloud: str, folder: Path) -> Iterator[tuple[AtWork, Credentials]]:
    """One of the clouds at work, and what opens it."""
    with ExitStack() as stack:
        if cloud == "hetzner":
            hetzner = stack.enter_context(cloud_at_work(folder))
            yield hetzner, Credentials("hetzner", hetzner.cloud.token, hetzner.endpoint)
        else:
            scaleway = stack.enter_context(scaleway_at_work(folder))
            project = scaleway.cloud.project
            yield (
                scaleway,
                Credentials(
                    "scaleway",
                    project.secret_key,
                    scaleway.endpoint,
                    access_key=project.access_key,
                    project=project.uid,
                    zones=("fr-par-1",),
                ),
            )


@pytest.mark.parametrize("cloud", ["hetzner", "scaleway"])
def test_every_request_is_asked_for_and_none_is_sent_without(cloud: str, tmp_path: Path) -> None:
    with either(cloud, tmp_path) as (at_work, credentials):
        budget = Counting()
        provider = provider_for(credentials, budget)
        provider.machines({"farm": "x"})
        provider.offers()
        assert budget.asked == len(at_work.calls()) > 2
        budget.given = budget.asked
        with pytest.raises(OutOfBudget):
            provider.machines({"farm": "x"})
        assert budget.asked == len(at_work.calls())


def test_a_retry_inside_a_call_is_asked_for_too(tmp_path: Path) -> None:
    with either("scaleway", tmp_path) as (at_work, credentials):
        budget = Counting()
        broken: JsonObject = {"answer": {"status": 503, "text": "<html>no</html>"}, "times": 2}
        at_work.order("/faults", broken)
        provider_for(credentials, budget).machines({"farm": "x"})
        assert budget.asked == len(at_work.calls()) >= 3
        at_work.order("/faults", broken)
        budget.given = budget.asked + 1
        with pytest.raises(OutOfBudget):
            provider_for(credentials, budget).machines({"farm": "x"})
        assert budget.asked == len(at_work.calls())


def test_what_the_headers_say_is_told(tmp_path: Path) -> None:
    with either("hetzner", tmp_path) as (at_work, credentials):
        budget = Counting()
        provider = provider_for(credentials, budget)
        provider.machines({"farm": "x"})
        assert budget.told == [Told(limit=3600, remaining=3599)]
        limited: JsonObject = {
            "answer": {"status": 429, "code": "rate_limit_exceeded", "retry_after": 30}
        }
        at_work.order("/faults", limited)
        with pytest.raises(ProvisioningError):
            provider.machines({"farm": "x"})
        refused = budget.told[-1].refused_for
        assert refused is not None
        assert 29 <= refused <= 31
