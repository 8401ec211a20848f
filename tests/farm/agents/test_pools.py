"""Who may keep machines ready, when how many are kept, and what that is said to cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied

from farm.accounts.models import AuditEntry, Door, User
from farm.agents.demand import wanted_now
from farm.agents.models import Pool
from farm.agents.refusals import Refused
from farm.agents.selectors.morning import morning_at
from farm.agents.selectors.pool import pool_view
from farm.agents.services.pool import PoolWish, set_pool
from tests.farm.web import scenes
from tests.farm.web.conftest import logged_in

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def operator(people: scenes.People) -> User:
    """Somebody who runs the farm."""
    return User.objects.create(email="olga@example.org", is_superuser=True)


def kept(operator: User, **wish: str | int | bool) -> Pool:
    """A pool of small machines in Germany."""
    own = PoolWish(
        "small",
        "germany",
        int(wish.get("size", 2)),
        str(wish.get("hours", "")),
        str(wish.get("days", "")),
        follow_demand=bool(wish.get("at_most", 0)),
        at_most=int(wish.get("at_most", 0)),
    )
    return set_pool(actor=operator, door=Door.CLI, wish=own)


def test_only_an_operator_keeps_machines_ready(people: scenes.People) -> None:
    with pytest.raises(PermissionDenied):
        set_pool(actor=people.alice, door=Door.CLI, wish=PoolWish("small", "germany", 1))
    assert not Pool.objects.exists()


def test_it_is_on_record_and_its_cost_is_said(operator: User) -> None:
    view = pool_view(kept(operator), MONDAY)
    assert AuditEntry.objects.filter(verb="set pool", actor=operator).exists()
    assert view.hourly_micros == 2 * view.each_hourly_micros > 0
    assert 0 < view.monthly_micros <= 2 * 744 * view.each_hourly_micros
    half = pool_view(kept(operator, hours="8-20"), MONDAY)
    assert half.monthly_micros < view.monthly_micros


def test_the_operators_page_and_morning_say_what_is_kept_and_what_it_costs(
    operator: User,
) -> None:
    kept(operator)
    page = logged_in(operator).get("/operator/").content.decode()
    assert "Kept ready" in page
    assert "0 of 2 4 GB, Germany (Hetzner)" in page
    (pool,) = morning_at(MONDAY).pools
    assert (pool.wanted, pool.ready) == (2, 0)
    Pool.objects.update(size=0)
    assert morning_at(MONDAY).pools == []


@pytest.mark.parametrize(
    ("hours", "days", "moment", "number"),
    [
        ("", "", MONDAY, 2),
        ("8-19", "mon-fri", MONDAY, 2),
        ("8-19", "mon-fri", MONDAY + timedelta(hours=7), 0),
        ("8-19", "mon-fri", MONDAY + timedelta(days=5), 0),
        ("8-19", "sat,sun", MONDAY + timedelta(days=5), 2),
        ("22-6", "mon", MONDAY + timedelta(hours=16), 2),
        ("22-6", "fri-mon", MONDAY - timedelta(hours=10), 2),
        ("22-6", "tue", MONDAY + timedelta(hours=16), 0),
    ],
)
def test_it_is_kept_in_its_hours(
    operator: User, hours: str, days: str, moment: datetime, number: int
) -> None:
    assert wanted_now(kept(operator, hours=hours, days=days), moment) == number


@pytest.mark.parametrize(
    ("field", "wish"),
    [
        ("plan", PoolWish("giant", "germany", 1)),
        ("region", PoolWish("small", "moon", 1)),
        ("size", PoolWish("small", "germany", -1)),
        ("size", PoolWish("small", "germany", 51)),
        ("hours", PoolWish("small", "germany", 1, hours="8 to 19")),
        ("hours", PoolWish("small", "germany", 1, hours="8-25")),
        ("days", PoolWish("small", "germany", 1, days="monday")),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    operator: User, field: str, wish: PoolWish
) -> None:
    with pytest.raises(Refused) as refused:
        set_pool(actor=operator, door=Door.CLI, wish=wish)
    assert refused.value.field == field
