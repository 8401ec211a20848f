"""Wallets in the states that their pages can show, made as rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from farm.accounts.services import account_of
from farm.agents.models import Agent
from farm.agents.reconciler.metering import meter
from farm.billing.ai_rows import AiDay
from farm.billing.customer_rows import Customer, Hold, Paper, Stage, TopUp
from farm.billing.payers import assign
from tests.farm.billing.scenes import machine_of, swept
from tests.farm.billing.wallets import EURO, pay_in, wallet_of
from tests.farm.web import scenes

NAMES = ("Ada", "Bo", "Cleo", "Dex", "Emil", "Fay", "Gus", "Hal")


def wallets() -> dict[str, str]:
    """Wanda's, with money and a card, and Dora's, that is dry: the uids of payers and a top-up."""
    rich = _rich("wanda")
    poor = _dry("dora")
    waits = TopUp.objects.get(customer=rich, state=TopUp.State.OPEN)
    agent = Agent.objects.filter(owner__email="wanda@example.org").earliest("pk")
    return {
        "rich": rich.payer.uid,
        "dry": poor.payer.uid,
        "account": rich.payer.account.uid,
        "top_up": waits.uid,
        "agent": agent.uid,
    }


def _rich(name: str) -> Customer:
    owner = scenes.person(name)
    account = account_of(user=owner)
    customer = wallet_of(account)
    pay_in(customer.payer, 90 * EURO)
    began = datetime.now(UTC) - timedelta(days=50)
    for number, called in enumerate(NAMES):
        agent = scenes.agent(owner, called)
        since = began + timedelta(days=3 * number)
        assign(
            agent_uid=agent.uid,
            agent_name=called,
            payer=customer.payer,
            cost_centre="",
            person=owner,
            monthly_micros=4_902_000,
            at=since,
        )
        machine_of(agent, created=since, serving=since, gone=since + timedelta(days=30 - number))
        _thinks(agent, customer, since.date() + timedelta(days=number))
    _held(customer, scenes.running(scenes.agent(owner, "Nino")))
    swept(timezone.now())
    meter(timezone.now())
    Customer.objects.filter(pk=customer.pk).update(
        reference="cus_1",
        card="pm_1",
        card_name="Visa 4242",
        automatic_cents=2_000,
        vat_id="FR12345678901",
        vat_status="verified",
    )
    _papers(customer)
    return customer


def _thinks(agent: Agent, customer: Customer, day: date) -> None:
    AiDay.objects.create(
        agent_uid=agent.uid,
        agent_name=agent.name,
        day=day,
        payer_uid=customer.payer.uid,
        person_email=agent.owner.email,
        provider="sandbox",
        model="sandbox-1",
        calls=12,
        input_tokens=120_000,
        output_tokens=4_000,
        cost_micros=310_000,
    )


def _held(customer: Customer, agent: Agent, *, slept: bool = False) -> None:
    now = timezone.now()
    Hold.objects.create(
        payer=customer.payer,
        agent_uid=agent.uid,
        run_micros=190_000,
        grace_micros=EURO,
        since=now,
        slept_at=now if slept else None,
    )


def _papers(customer: Customer) -> None:
    now = timezone.now()
    for number, state in enumerate((TopUp.State.PAID, TopUp.State.FAILED, TopUp.State.OPEN)):
        TopUp.objects.create(
            customer=customer,
            cents=2_000,
            tax_cents=400 if state == TopUp.State.PAID else 0,
            automatic=number == 1,
            state=state,
            url="http://localhost:9/c/pay/1" if state == TopUp.State.OPEN else "",
            problem="insufficient_funds" if state == TopUp.State.FAILED else "",
            asked_at=now - timedelta(days=9 - number),
        )
    for sort, total in ((Paper.Sort.INVOICE, 2_400), (Paper.Sort.CREDIT, 600)):
        Paper.objects.create(
            customer=customer,
            reference=f"in_{total}",
            sort=sort,
            number=f"F-{total}",
            status="paid",
            net_cents=total * 5 // 6,
            tax_cents=total // 6,
            total_cents=total,
            pdf="http://localhost:9/1.pdf",
            at=now,
        )


def _dry(name: str) -> Customer:
    owner = scenes.person(name)
    customer = wallet_of(account_of(user=owner))
    _held(customer, scenes.running(scenes.agent(owner, "Iris")), slept=True)
    now = timezone.now()
    Customer.objects.filter(pk=customer.pk).update(
        stage=Stage.DRY, stage_at=now, dry_since=now - timedelta(days=2)
    )
    return customer
