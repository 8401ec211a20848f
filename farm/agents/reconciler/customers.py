"""Payers on their way down and back: told, asleep, told for the last time, deleted; and woken."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from farm.agents.models import Agent, AgentPhase, Meter
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.money_letters import write_of
from farm.agents.reconciler.troubles import Nap
from farm.agents.reconciler.want_of_money import delete_all, put_to_sleep, wake
from farm.agents.worst_case import worst_of
from farm.billing.automatic import start_automatic_top_up
from farm.billing.customer_rows import Customer, Stage
from farm.billing.customers import customer_of
from farm.billing.holds import Worst, let_go, live_holds, set_aside
from farm.billing.models import Payer
from farm.billing.payers import agents_paid_by, assignment_at, first_hour_after
from farm.billing.seeing import seen_of
from farm.billing.stages import Verdict, decide, is_out

LOOK: Final = timedelta(minutes=5)
AGAIN: Final = timedelta(minutes=1)
"""How soon an agent that was on its way is tried again."""
COLLECTED: Final = (Payer.Kind.WALLET, Payer.Kind.INVOICE)


def ensure_customers(now: datetime) -> None:
    """Whoever pays through Stripe is looked at again and again."""
    for payer in Payer.objects.filter(kind__in=COLLECTED, customer=None, archived_at=None):
        customer_of(payer)
    Customer.objects.filter(due_at=None, lease_until=None).update(due_at=now)


def drive_customer(claim: Claim[Customer]) -> Nap:
    """One look: what is held is kept up, then the one step that is due is taken.

    Rows first, each in its own transaction; every one of them is what it is, however often it is
    taken. A mail goes out after its stage is written: killed in between, it is not sent.
    """
    customer, now = claim.row, timezone.now()
    agents = keep_holds(customer.payer, now)
    meter = Meter.objects.first()
    verdict = decide(seen_of(customer, meter.ran_at if meter else None, now), now)
    if verdict.stage != customer.stage:
        _enter(claim, verdict.stage, now)
    if verdict.letter and not write_of(customer, verdict.letter, agents, now):
        _unsay(claim, verdict.letter)
    if verdict.top_up and customer.payer.kind == Payer.Kind.WALLET:
        start_automatic_top_up(customer, now)
    return LOOK if _follow(customer, verdict, agents, now) else AGAIN


def keep_holds(payer: Payer, now: datetime) -> list[Agent]:
    """Hold the worst case of every agent that the payer pays from the next hour on; those agents.

    Asks nobody whether it is there: prices and payers change by themselves too.
    """
    with transaction.atomic():
        payer = Payer.objects.select_for_update(no_key=True).get(pk=payer.pk)
        paid = agents_paid_by(payer, first_hour_after(now))
        living = Agent.objects.filter(uid__in=paid).exclude(phase=AgentPhase.DELETED)
        agents = list(living.select_related("owner", "account").order_by("pk"))
        if payer.kind in COLLECTED:
            for agent in agents:
                worst = worst_of(agent) if payer.kind == Payer.Kind.WALLET else Worst(0, 0)
                set_aside(payer=payer, agent_uid=agent.uid, worst=worst, now=now)
        else:
            live_holds(payer).filter(slept_at=None).update(released_at=now)
        _let_go_of_others(payer, {agent.uid for agent in agents}, now)
    return agents


def _let_go_of_others(payer: Payer, uids: set[str], now: datetime) -> None:
    """One that another such payer pays is taken over by that one, with the word that it slept."""
    for held in live_holds(payer).exclude(agent_uid__in=uids):
        paid = assignment_at(held.agent_uid, first_hour_after(now))
        living = Agent.objects.filter(uid=held.agent_uid).exclude(phase=AgentPhase.DELETED)
        if paid is None or paid.payer.kind not in COLLECTED or not living.exists():
            let_go(held.agent_uid, now)


def _enter(claim: Claim[Customer], stage: Stage, now: datetime) -> None:
    customer = claim.row
    if not is_out(stage):
        customer.dry_since = None
    elif customer.dry_since is None:
        customer.dry_since = now
    customer.stage, customer.stage_at = stage, now
    with claim.recording():
        claim.save("stage", "stage_at", "dry_since")


def _unsay(claim: Claim[Customer], letter: Stage) -> None:
    """Nobody is deleted who was not told: what nobody took is said again."""
    if letter == Stage.LAST:
        claim.row.stage = Stage.DRY
        with claim.recording():
            claim.save("stage")


def _follow(customer: Customer, verdict: Verdict, agents: list[Agent], now: datetime) -> bool:
    """Whether all agents are as they should be."""
    done = True
    if verdict.deleted:
        delete_all(agents)
    elif verdict.asleep:
        done = put_to_sleep(agents, now)
    elif verdict.asleep is False:
        done = wake(customer.payer, now)
    return done
