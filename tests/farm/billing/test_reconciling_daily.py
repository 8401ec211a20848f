"""The daily look: a row that is driven, one mail for each difference, a line in the morning."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.agents.models import Server
from farm.agents.reconciler.driving import RECONCILIATIONS
from farm.agents.reconciler.metering import meter
from farm.agents.reconciler.reconciliations import ensure_reconciliation
from farm.agents.selectors.morning import morning_at
from farm.agents.selectors.morning.todos import todos_at
from farm.billing.ledger_rows import LedgerAccount
from farm.billing.models import UsageLine
from farm.billing.reconciliation_rows import Difference, Reconciliation
from tests.farm.billing.scenes import agent_of, machine_of, swept
from tests.farm.billing.test_reconciling import tampered
from tests.farm.web.scenes import People, people

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def us() -> People:
    """Alice, who runs the farm and reads French, Bob and Charlie."""
    found = people()
    found.alice.is_superuser, found.alice.language = True, "fr"
    found.alice.save(update_fields=["is_superuser", "language"])
    return found


@pytest.fixture
def served(us: People) -> Server:
    """Bob's machine that was there for ten hours, three weeks ago; all is metered."""
    began = timezone.now() - timedelta(days=21)
    ada = agent_of(us.bob, us.account, "Ada", began)
    gone = began + timedelta(hours=9, minutes=30)
    found = machine_of(ada, created=began, serving=began, gone=gone)
    swept(timezone.now())
    meter(timezone.now())
    return found


def look() -> Reconciliation:
    """What a worker does once a day."""
    ensure_reconciliation(timezone.now())
    Reconciliation.objects.update(due_at=timezone.now())
    row = Reconciliation.objects.get()
    assert RECONCILIATIONS.work(row.pk, lambda _: None)
    row.refresh_from_db()
    return row


def codes() -> set[str]:
    """What the operator is to do."""
    return {todo.code for todo in todos_at(timezone.now())}


def test_a_new_farm_is_first_looked_at_when_a_day_is_over(db: None) -> None:
    ensure_reconciliation(timezone.now())
    ensure_reconciliation(timezone.now())
    row = Reconciliation.objects.get()
    assert row.due_at
    assert row.due_at > timezone.now()


def test_it_comes_again_after_the_next_days_last_hours(served: Server) -> None:
    row = look()
    assert row.ran_at
    assert row.read_to
    assert row.due_at
    assert row.due_at.astimezone(UTC) > row.read_to + timedelta(days=1, hours=2)
    assert row.due_at - timezone.now() < timedelta(days=1, hours=1)
    assert (row.compared, row.waiting, row.trouble) == (1, 0, "")
    assert mail.outbox == []
    assert "books_differ" not in codes()
    told = morning_at(timezone.now()).agreement
    assert (told.read_to, told.apart_micros) == (row.read_to, 0)


def test_each_difference_is_mailed_once_and_stands_in_the_morning_until_it_is_gone(
    served: Server,
) -> None:
    look()
    lost = UsageLine.objects.filter(server_uid=served.uid, kind="server")[0]
    tampered(lambda: UsageLine.objects.filter(pk=lost.pk).delete())
    look()
    look()
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.org"]
    assert letter.subject == "Les livres et les clouds ne concordent pas : 1"
    for word in (served.uid, "9 h, 0,057600", "10 h, 0,064000", "farm billing reconcile"):
        assert word in letter.body, word
    assert morning_at(timezone.now()).agreement.apart_micros == 6_400
    (todo,) = (todo for todo in todos_at(timezone.now()) if todo.code == "books_differ")
    assert todo.command == "farm billing reconcile"
    LedgerAccount.objects.filter(book="clouds").update(balance_micros=7)
    look()
    assert len(mail.outbox) == 2
    assert "solde courant" in mail.outbox[1].body
    assert served.uid not in mail.outbox[1].body
    assert Difference.objects.filter(gone_at=None).count() == 2


def test_a_cloud_that_cannot_be_asked_is_a_trouble_and_no_difference(
    served: Server, settings: Settings
) -> None:
    """Scaleway's key opens nothing there: what else there is is compared all the same."""
    for name, value in {
        "SCALEWAY_ACCESS_KEY": "SCWXXXXXXXXXXXXXXXXX",
        "SCALEWAY_SECRET_KEY": "11111111-2222-4333-8444-555555555555",
        "SCALEWAY_PROJECT_ID": "11111111-2222-4333-8444-555555555556",
        "SCALEWAY_ENDPOINT": "http://127.0.0.1:9",
    }.items():
        setattr(settings, name, value)
    row = look()
    assert row.trouble.startswith("scaleway: ")
    assert (row.compared, Difference.objects.count()) == (1, 0)
