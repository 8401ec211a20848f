"""Money that comes and goes is posted once, and a balance counts to the last written hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from farm.accounts.models import Account
from farm.billing.ai_rows import AiDay
from farm.billing.balances import balance_of
from farm.billing.ledger import is_due, note_late, post, unequal
from farm.billing.ledger_rows import Book, Transfer
from farm.billing.models import Payer
from farm.billing.transfers import Side, move, of_payer

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def payer() -> Payer:
    """Somebody who pays in advance."""
    account = Account.objects.create(name="Payers", created_at=NOW)
    return Payer.objects.create(
        account=account, name="P", kind=Payer.Kind.WALLET, is_default=True, created_at=NOW
    )


def pay_in(payer: Payer, micros: int, source: str = "topup:a:net") -> bool:
    """Money came."""
    house = Side(Book.HOUSE)
    return move(debit=house, credit=of_payer(payer), micros=micros, source=source, now=NOW)


def use(payer: Payer, micros: int, day: date) -> None:
    """A day of AI."""
    AiDay.objects.create(
        day=day, payer_uid=payer.uid, agent_uid="a", provider="p", model="m", cost_micros=micros
    )


def test_what_came_twice_is_there_once(payer: Payer) -> None:
    assert pay_in(payer, 20_000_000)
    assert not pay_in(payer, 20_000_000)
    assert pay_in(payer, 1, "topup:b:net")
    assert balance_of(payer, NOW).left == 20_000_001
    assert Transfer.objects.count() == 2
    assert not unequal()


def test_a_balance_is_the_same_before_and_after_its_use_is_posted(payer: Payer) -> None:
    pay_in(payer, 20_000_000)
    use(payer, 3_000_000, (NOW - timedelta(days=1)).date())
    use(payer, 500_000, NOW.date())
    before = balance_of(payer, NOW).left
    assert post(NOW) == 1
    assert before == balance_of(payer, NOW).left == 16_500_000


def test_money_that_comes_in_the_night_does_not_hide_that_use_is_not_posted(payer: Payer) -> None:
    use(payer, 3_000_000, (NOW - timedelta(days=1)).date())
    pay_in(payer, 20_000_000)
    assert is_due(NOW)
    post(NOW)
    assert not is_due(NOW)


def test_what_was_used_is_posted_after_months_without_a_farm(payer: Payer) -> None:
    pay_in(payer, 20_000_000)
    post(NOW)
    later = NOW + timedelta(days=90)
    for days in (-1, 0, 30, 60, 89):
        use(payer, 1_000_000, (NOW + timedelta(days=days)).date())
    assert balance_of(payer, later).left == 15_000_000
    assert post(later) == 5
    assert balance_of(payer, later).left == 15_000_000
    assert not unequal()


def test_what_was_posted_once_stays_counted_after_months_without_a_farm(payer: Payer) -> None:
    pay_in(payer, 20_000_000)
    use(payer, 1_000_000, (NOW - timedelta(days=1)).date())
    assert post(NOW) == 1
    later = NOW + timedelta(days=90)
    assert balance_of(payer, later).left == 19_000_000
    use(payer, 2_000_000, (NOW + timedelta(days=1)).date())
    use(payer, 3_000_000, (NOW + timedelta(days=70)).date())
    assert balance_of(payer, later).left == 14_000_000
    assert post(later) == 2
    assert balance_of(payer, later).left == 14_000_000


def test_what_is_written_late_is_posted_after_a_posting_that_came_before_it(payer: Payer) -> None:
    pay_in(payer, 20_000_000)
    use(payer, 1_000_000, (NOW - timedelta(days=1)).date())
    post(NOW)
    later = NOW + timedelta(days=90)
    use(payer, 1_000_000, (NOW + timedelta(days=80)).date())
    assert post(later) == 1
    late = (NOW + timedelta(days=5)).date()
    note_late([late.replace(day=1)], later)
    use(payer, 2_000_000, late)
    assert balance_of(payer, later).left == 16_000_000
    assert post(later + timedelta(hours=1)) == 1
    assert balance_of(payer, later).left == 16_000_000
    much_later = later + timedelta(days=40)
    assert post(much_later) == 0
    assert balance_of(payer, much_later).left == 16_000_000
