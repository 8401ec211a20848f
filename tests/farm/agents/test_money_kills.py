"""A worker killed while it writes of money that is out: the same end, and no mail twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.agents.models import Agent, Meter
from farm.agents.reconciler.driving import CUSTOMERS
from farm.billing.customer_rows import Customer, Hold, Stage
from farm.billing.payers import assign
from farm.billing.stripe_rows import StripeRound
from tests.farm.agents.mail_server import MailServer, When, mail_server
from tests.farm.billing.wallets import wallet_of
from tests.farm.web import scenes
from tests.farm.web.scenes import People

ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys, django
django.setup()
from django.utils import timezone
from farm.agents.reconciler.driving import CUSTOMERS
sys.stdin.readline()
for job in CUSTOMERS.jobs(timezone.now()):
    job.work(lambda claim: None)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("when", "mails"), [(When.BEFORE, 0), (When.AFTER, 1)])
def test_a_kill_around_a_mail_leads_to_the_same_sleep(
    people: People, tmp_path: Path, settings: Settings, when: When, mails: int
) -> None:
    customer = dry_customer(people)
    with mail_server(when) as server:
        worker = _worker(server, tmp_path, settings)
        server.victim = worker.pid
        worker.communicate(b"\n", timeout=120)
        assert worker.returncode == -signal.SIGKILL
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        assert Agent.objects.get().wanted == Agent.Wanted.RUNNING
        for _ in range(2):
            look(customer)
    assert len(server.taken) == mails
    customer.refresh_from_db()
    assert customer.stage == Stage.DRY
    assert Agent.objects.get().wanted == Agent.Wanted.STOPPED
    assert Hold.objects.get(released_at=None).slept_at


def dry_customer(people: People) -> Customer:
    """Alice's wallet has nothing in it, and its agent runs."""
    now = timezone.now()
    Meter.objects.create(ran_at=now)
    StripeRound.objects.create(due_at=now)
    customer = wallet_of(people.account)
    agent = scenes.running(scenes.agent(people.alice))
    assign(
        agent_uid=agent.uid,
        agent_name=agent.name,
        payer=customer.payer,
        cost_centre="",
        person=agent.owner,
        monthly_micros=agent.agreed_monthly_micros,
        at=agent.created_at,
    )
    Customer.objects.update(due_at=now - timedelta(seconds=1))
    return customer


def look(customer: Customer) -> None:
    """Whoever held it is dead; another worker looks."""
    now = timezone.now()
    Customer.objects.update(lease_token="", lease_until=None, due_at=now)
    assert CUSTOMERS.work(customer.pk, lambda _: None)


def _worker(server: MailServer, folder: Path, settings: Settings) -> subprocess.Popen[bytes]:
    """A process of its own that waits for a line, then looks once, on this test's database."""
    name, data = str(connection.settings_dict["NAME"]), folder / "data"
    data.mkdir(mode=0o700)
    url = ""
    if connection.vendor == "sqlite":
        (data / "farm.sqlite3").symlink_to(name)
    else:
        url = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
    more = {
        "DJANGO_SETTINGS_MODULE": "farm.settings",
        "FARM_DATA": str(data),
        "DATABASE_URL": url,
        "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(server.port),
    }
    command = [sys.executable, "-c", WORKER]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **more}, stdin=subprocess.PIPE)
