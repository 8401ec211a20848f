"""What Scaleway says that it charges, through the real SDK, is what its own books say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from farm.sandbox.clock import Clock
from provisioning.errors import NeedsOperator
from provisioning.hetzner import Hetzner
from provisioning.provider import BillableKind
from provisioning.scaleway import Scaleway
from tests.sandbox.hetzner.cloud_at_work import cloud_at_work
from tests.sandbox.scaleway.scaleway_at_work import ScalewayAtWork, scaleway_at_work
from tests.sandbox.scaleway.test_official import _running


@pytest.fixture
def clock() -> Clock:
    """A clock that a test moves."""
    return Clock()


@pytest.fixture
def at_work(tmp_path: Path, clock: Clock) -> Iterator[ScalewayAtWork]:
    """A cloud with a machine of ours that has run for two months and more."""
    with scaleway_at_work(tmp_path, clock=clock) as started:
        _running(started.provider())
        clock.advance(timedelta(days=62))
        yield started


def months(at_work: ScalewayAtWork) -> list[date]:
    """Every month in which anything was charged."""
    lines = at_work.books("/scaleway/invoice")["lines"]
    return sorted({date.fromisoformat(f"{line['month']}-01") for line in lines})


def test_each_month_comes_to_the_clouds_own_books(at_work: ScalewayAtWork, clock: Clock) -> None:
    provider = at_work.provider()
    lines = at_work.books("/scaleway/invoice")["lines"]
    for month in months(at_work):
        told = provider.charges(month)
        assert told
        found = Counter[tuple[str, str]]()
        for charge in told.charges:
            found[str(charge.kind), charge.id] += charge.micros
        mine = [line for line in lines if line["month"] == f"{month:%Y-%m}"]
        assert found == {
            (str(line["kind"]), str(line["id"])): int(str(line["micros"])) for line in mine
        }
        assert abs(told.until - clock.now().astimezone(UTC)) < timedelta(hours=1)
    assert len(months(at_work)) >= 3


def test_a_machine_is_charged_by_the_name_that_the_farm_gave_it(at_work: ScalewayAtWork) -> None:
    told = at_work.provider().charges(months(at_work)[0])
    assert told
    servers = [charge for charge in told.charges if charge.kind is BillableKind.SERVER]
    assert [charge.name for charge in servers] == ["farm-s1"]
    assert {charge.currency for charge in told.charges} == {"EUR"}


def test_what_was_never_charged_is_empty_and_a_wrong_key_is_the_operators(
    at_work: ScalewayAtWork,
) -> None:
    told = at_work.provider().charges(date(2020, 1, 1))
    assert told
    assert told.charges == ()
    stranger = Scaleway(
        access_key=at_work.cloud.project.access_key,
        secret_key=str(uuid4()),
        project=at_work.cloud.project.uid,
        endpoint=at_work.endpoint,
    )
    with pytest.raises(NeedsOperator):
        stranger.charges(date(2020, 1, 1))


def test_hetzner_tells_nobody(tmp_path: Path) -> None:
    with cloud_at_work(tmp_path) as started:
        before = len(started.calls())
        hetzner = Hetzner(token=started.cloud.token, endpoint=started.endpoint)
        assert hetzner.charges(date(2026, 11, 1)) is None
        assert len(started.calls()) == before
