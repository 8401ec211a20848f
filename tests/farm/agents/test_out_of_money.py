"""Money runs out: told, asleep, told for the last time, deleted; and woken by any payment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.accounts.models import AuditEntry, Door
from farm.agents.models import Agent, AgentPhase, Change, Meter, Operation
from farm.agents.reconciler.customers import ensure_customers
from farm.agents.reconciler.driving import CUSTOMERS
from farm.agents.refusals import Refused
from farm.agents.services.agents import delete_agent
from farm.agents.services.changes import move_agent_to, take_back_change
from farm.agents.services.paying import change_payer
from farm.agents.services.sleep import stop_agent, wake_agent
from farm.billing.balances import balance_of
from farm.billing.bill_rows import Bill
from farm.billing.customer_rows import Customer, Dispute, Hold, Stage, TopUp
from farm.billing.models import Payer
from farm.billing.payers import assign
from farm.billing.rule import month_of
from farm.billing.stripe_rows import StripeEvent, StripeRound
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


def round_in_trouble() -> None:
    StripeRound.objects.update(trouble="no answer")


def round_late() -> None:
    StripeRound.objects.update(due_at=timezone.now() - timedelta(hours=3))


def event_waits() -> None:
    now = timezone.now()
    StripeEvent.objects.create(uid="evt_1", happened_at=now, came_at=now, fetched=False)


def meter_stands() -> None:
    Meter.objects.update(ran_at=timezone.now() - timedelta(hours=3))


def clock_went_back() -> None:
    Meter.objects.update(ran_at=timezone.now() + timedelta(hours=1))


def payment_under_way() -> None:
    TopUp.objects.create(
        customer=Customer.objects.get(),
        cents=1_000,
        state=TopUp.State.OPEN,
        asked_at=timezone.now(),
    )


FAULTS = [
    round_in_trouble,
    round_late,
    event_waits,
    meter_stands,
    clock_went_back,
    payment_under_way,
]


@pytest.mark.parametrize("at_fault", FAULTS)
def test_nothing_is_taken_while_anybody_is_at_fault(
    customer: Customer, at_fault: Callable[[], None]
) -> None:
    pay_in(customer.payer, WORST - 1)
    at_fault()
    assert look(customer).stage == Stage.FINE
    assert agent_now().wanted == Agent.Wanted.RUNNING
    assert not mail.outbox


@pytest.mark.parametrize("at_fault", FAULTS[:4])
def test_a_payment_wakes_whoever_is_at_fault(
    customer: Customer, at_fault: Callable[[], None]
) -> None:
    look(customer)
    asleep()
    at_fault()
    assert look(customer, back=timedelta(days=29)).stage == Stage.DRY
    pay_in(customer.payer, 10 * EURO)
    assert look(customer).stage == Stage.FINE
    assert agent_now().wanted == Agent.Wanted.RUNNING


def test_a_page_that_is_open_is_not_waited_for_for_ever(customer: Customer) -> None:
    pay_in(customer.payer, WORST - 1)
    payment_under_way()
    TopUp.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    assert look(customer).stage == Stage.DRY


def test_who_is_in_dispute_sleeps_and_is_never_deleted(customer: Customer) -> None:
    pay_in(customer.payer, 100 * EURO)
    now = timezone.now()
    Dispute.objects.create(reference="dp_1", customer=customer, cents=1_000, opened_at=now)
    Customer.objects.update(frozen_at=now)
    look(customer)
    assert agent_now().wanted == Agent.Wanted.STOPPED
    asleep()
    use(customer.payer, 200 * EURO)
    assert look(customer).stage == Stage.DRY
    assert look(customer, back=timedelta(days=90)).stage == Stage.DRY
    Customer.objects.update(frozen_at=None)
    assert look(customer, back=timedelta(days=90)).stage == Stage.DRY
    assert agent_now().wanted == Agent.Wanted.STOPPED
    Dispute.objects.update(closed_at=now)
    pay_in(customer.payer, 300 * EURO)
    assert look(customer).stage == Stage.FINE
    assert agent_now().wanted == Agent.Wanted.RUNNING


def test_a_bill_that_is_overdue_leads_the_same_way(customer: Customer) -> None:
    Payer.objects.update(kind=Payer.Kind.INVOICE)
    now = timezone.now()
    bill = Bill.objects.create(
        payer=customer.payer,
        month=month_of(now),
        state=Bill.State.OPEN,
        currency="EUR",
        net_micros=EURO,
        net_cents=100,
        closed_at=now,
    )
    assert look(customer).stage == Stage.FINE
    for days, stage in ((0, Stage.WEEK), (4, Stage.DAYS), (6, Stage.DAY), (8, Stage.DRY)):
        Bill.objects.update(overdue_at=now - timedelta(days=days))
        assert look(customer).stage == stage
    assert "Une facture" in mail.outbox[0].body
    assert agent_now().wanted == Agent.Wanted.STOPPED
    with pytest.raises(Refused) as refused:
        wake_agent(actor=agent_now().owner, door=Door.WEB, agent=agent_now())
    assert refused.value.code == "bill_unpaid"
    bill.state = Bill.State.PAID
    bill.save()
    assert look(customer).stage == Stage.FINE
    assert agent_now().wanted == Agent.Wanted.RUNNING


def test_an_agent_on_its_way_is_tried_again(customer: Customer) -> None:
    Agent.objects.update(phase=AgentPhase.PLACING)
    look(customer)
    assert agent_now().wanted == Agent.Wanted.RUNNING
    due = Customer.objects.get().due_at
    assert due
    assert due < timezone.now() + timedelta(minutes=2)
    Agent.objects.update(phase=AgentPhase.RUNNING)
    look(customer)
    assert agent_now().wanted == Agent.Wanted.STOPPED


def test_a_move_that_waits_is_taken_back(people: People, customer: Customer) -> None:
    pay_in(customer.payer, 100 * EURO)
    agent = agent_now()
    move_agent_to(actor=people.alice, door=Door.WEB, agent=agent, region="finland")
    use(customer.payer, 100 * EURO)
    look(customer)
    assert not Change.objects.exists()
    look(customer)
    assert agent_now().wanted == Agent.Wanted.STOPPED


def test_who_let_it_sleep_themselves_is_not_woken_by_money(
    people: People, customer: Customer
) -> None:
    look(customer)
    stop_agent(actor=people.alice, door=Door.WEB, agent=agent_now())
    asleep()
    pay_in(customer.payer, 100 * EURO)
    look(customer)
    assert agent_now().wanted == Agent.Wanted.STOPPED


def test_a_member_is_told_whom_to_ask(people: People, customer: Customer) -> None:
    Agent.objects.update(owner=people.bob)
    look(customer)
    told = {sent.to[0]: sent.body for sent in mail.outbox}
    assert set(told) == {people.alice.email, people.bob.email}
    assert f"Ask {people.alice.email} to pay" in told[people.bob.email]


def test_its_last_mail_is_written_again_until_one_goes_out(
    customer: Customer, settings: Settings
) -> None:
    look(customer)
    asleep()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    assert look(customer, back=timedelta(days=90)).stage == Stage.DRY
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert look(customer).stage == Stage.LAST
    assert "dernier message" in mail.outbox[-1].body


def test_the_card_is_charged_below_three_days(customer: Customer) -> None:
    Customer.objects.update(card="pm_1", automatic_cents=2_000)
    pay_in(customer.payer, WORST + 2 * A_DAY)
    look(customer)
    top_up = TopUp.objects.get()
    assert (top_up.automatic, top_up.cents) == (True, 2_000)
    look(customer)
    assert TopUp.objects.count() == 1


def test_whoever_pays_in_advance_is_looked_at(people: People) -> None:
    Payer.objects.filter(account=people.account).delete()
    Payer.objects.create(
        account=people.account, name="P", kind=Payer.Kind.WALLET, created_at=timezone.now()
    )
    for _ in range(2):
        ensure_customers(timezone.now())
    assert Customer.objects.get().due_at


def test_an_agent_that_is_gone_holds_nothing(customer: Customer) -> None:
    look(customer)
    assert Hold.objects.get().released_at is None
    Agent.objects.update(phase=AgentPhase.DELETED)
    assert look(customer).stage == Stage.FINE
    assert Hold.objects.get().released_at


def test_who_becomes_internal_has_all_back(customer: Customer) -> None:
    look(customer)
    asleep()
    Payer.objects.update(kind=Payer.Kind.INTERNAL)
    look(customer)
    assert agent_now().wanted == Agent.Wanted.RUNNING
    look(customer)
    assert not Hold.objects.filter(released_at=None).exists()


def test_a_bill_of_nobody_any_more_is_not_written_of(customer: Customer) -> None:
    Payer.objects.update(kind=Payer.Kind.INVOICE)
    Agent.objects.update(phase=AgentPhase.DELETED)
    Bill.objects.create(
        payer=customer.payer,
        month=month_of(timezone.now()),
        state=Bill.State.OPEN,
        currency="EUR",
        net_micros=EURO,
        net_cents=100,
        closed_at=timezone.now(),
        overdue_at=timezone.now() - timedelta(days=9),
    )
    assert look(customer).stage == Stage.DRY
    assert not mail.outbox


@pytest.mark.parametrize("door", [Door.WEB, Door.API, Door.CLI])
@pytest.mark.parametrize("wish", [stop_agent, wake_agent, delete_agent, take_back_change])
def test_nobody_speaks_for_the_farm(
    customer: Customer, door: Door, wish: Callable[..., Operation]
) -> None:
    """Without an actor only the farm's own door leads to a wish."""
    with pytest.raises(PermissionDenied):
        wish(actor=None, door=door, agent=agent_now())
    assert agent_now().wanted == Agent.Wanted.RUNNING


def test_another_payer_wakes_what_slept_for_money(people: People, customer: Customer) -> None:
    look(customer)
    asleep()
    now = timezone.now()
    aunt = Payer.objects.create(
        account=people.account, name="Aunt", kind=Payer.Kind.WALLET, created_at=now
    )
    hers = Customer.objects.create(
        payer=aunt,
        email="aunt@example.org",
        stage_at=now,
        first_paid_at=now - timedelta(days=9),
    )
    pay_in(aunt, 100 * EURO)
    change_payer(
        actor=people.alice,
        door=Door.WEB,
        agent=agent_now(),
        payer_uid=aunt.uid,
        cost_centre="",
        until=None,
    )
    look(hers)
    assert Hold.objects.get(released_at=None).payer == aunt
    assert agent_now().wanted == Agent.Wanted.RUNNING
