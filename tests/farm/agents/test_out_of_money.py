"""Money runs out: told, asleep, told for the last time, deleted; and woken by any payment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from farm.accounts.models import AuditEntry
from farm.agents.models import Agent, AgentPhase, Meter
from farm.agents.reconciler.driving import CUSTOMERS
from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer, Hold, Stage
from farm.billing.models import Payer
from farm.billing.payers import assign
from farm.billing.stripe_rows import StripeRound
from tests.farm.billing.wallets import EURO, pay_in, use, wallet_of
from tests.farm.web import scenes
from tests.farm.web.scenes import People

pytestmark = pytest.mark.django_db
A_DAY = 24 * 7_900
WORST = A_DAY + 720 * 7_900


@pytest.fixture
def customer(people: People) -> Customer:
    """Alice pays in advance for one agent that runs; nobody is at fault."""
    Meter.objects.create(ran_at=timezone.now())
    StripeRound.objects.create(due_at=timezone.now())
    row = wallet_of(people.account)
    paid(people, scenes.running(scenes.agent(people.alice, language="fr")), row.payer)
    people.alice.language = "fr"
    people.alice.save()
    return row


def paid(people: People, agent: Agent, payer: Payer) -> Agent:
    """The agent's hours are the payer's."""
    assign(
        agent_uid=agent.uid,
        agent_name=agent.name,
        payer=payer,
        cost_centre="",
        person=agent.owner,
        monthly_micros=agent.agreed_monthly_micros,
        at=agent.created_at,
    )
    return agent


def look(customer: Customer, *, back: timedelta = timedelta()) -> Customer:
    """A worker's look; `back`: all that it knows happened so much longer ago."""
    rows = Customer.objects.filter(pk=customer.pk)
    customer.refresh_from_db()
    if customer.dry_since:
        rows.update(dry_since=customer.dry_since - back)
    rows.update(due_at=timezone.now(), stage_at=customer.stage_at - back)
    assert CUSTOMERS.work(customer.pk, lambda _: None)
    customer.refresh_from_db()
    assert customer.attempts == 0
    return customer


def agent_now() -> Agent:
    return Agent.objects.get()


def asleep() -> None:
    """It sleeps by now."""
    Agent.objects.update(phase=AgentPhase.STOPPED)


def test_each_step_down_is_told_once_in_the_words_of_who_pays(customer: Customer) -> None:
    pay_in(customer.payer, WORST + 8 * A_DAY)
    assert look(customer).stage == Stage.FINE
    for days, stage in ((5, Stage.WEEK), (2, Stage.DAYS), (1, Stage.DAY)):
        use(customer.payer, balance_of(customer.payer, timezone.now()).available - days * A_DAY)
        for _ in range(2):
            assert look(customer).stage == stage
    left = [sent.subject.removeprefix(f"{customer.payer.name}: ") for sent in mail.outbox]
    assert left == ["Il reste 5 jours.", "Il reste 2 jours.", "Il reste 1 jour."]
    body = mail.outbox[1].body
    assert "Il reste 2 jours. Ensuite Nino s'endort, ses données restent 30 jours." in body
    assert "/money/" in body
    assert agent_now().wanted == Agent.Wanted.RUNNING


def test_who_is_out_of_money_sleeps_and_wakes_when_it_pays(customer: Customer) -> None:
    pay_in(customer.payer, WORST - 1)
    assert look(customer).stage == Stage.DRY
    agent = agent_now()
    assert agent.wanted == Agent.Wanted.STOPPED
    assert Hold.objects.get().slept_at
    assert AuditEntry.objects.get(verb="stop agent").actor is None
    assert "s'endort" in mail.outbox[0].subject
    asleep()
    look(customer)

    pay_in(customer.payer, 10 * EURO)
    assert look(customer).stage == Stage.FINE
    assert agent_now().wanted == Agent.Wanted.RUNNING
    assert Hold.objects.get().slept_at is None
    assert customer.dry_since is None
    assert len(mail.outbox) == 1


def test_thirty_days_later_it_is_deleted_after_a_last_mail(customer: Customer) -> None:
    look(customer)
    asleep()
    assert look(customer, back=timedelta(days=26)).stage == Stage.DRY
    assert look(customer, back=timedelta(days=1)).stage == Stage.LAST
    assert look(customer, back=timedelta(days=2)).stage == Stage.LAST
    assert agent_now().wanted == Agent.Wanted.STOPPED
    assert look(customer, back=timedelta(days=1)).stage == Stage.OVER
    assert agent_now().wanted == Agent.Wanted.DELETED
    look(customer)
    assert [sent.subject.split()[0] for sent in mail.outbox] == ["Nino"] * 3
