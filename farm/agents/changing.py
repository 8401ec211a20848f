"""A change of an agent's machine as rows: what is agreed once it is wished, and put back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, Change, MachineWish, Operation
from farm.agents.sizes import fits_plan
from farm.billing.payers import agree_anew, take_back
from farm.billing.prices import Rate
from farm.billing.selectors import at_most_monthly

AGREED = ("agreed_hourly_micros", "agreed_monthly_micros", "agreed_currency")
SPEC = ("plan", "region", *AGREED)


@dataclass(frozen=True, slots=True)
class Goal:
    """Which plan and region an agent is to have, at what agreed price, and by which road."""

    wish: MachineWish
    plan: str
    region: str
    agreed: Rate


def open_change(agent: Agent, goal: Goal, operation: Operation, now: datetime) -> None:
    """Have the spec be what is wished, and note what was; in the wish's own transaction."""
    Change.objects.create(
        agent=agent,
        operation=operation,
        plan=agent.plan,
        region=agent.region,
        agreed_hourly_micros=agent.agreed_hourly_micros,
        agreed_monthly_micros=agent.agreed_monthly_micros,
        agreed_currency=agent.agreed_currency,
    )
    agent.machine_wish, agent.plan, agent.region = goal.wish, goal.plan, goal.region
    agent.agreed_hourly_micros = goal.agreed.hourly_micros
    agent.agreed_monthly_micros = at_most_monthly(goal.agreed)
    agent.agreed_currency = goal.agreed.currency
    agent.due_at = now
    agent.save(update_fields=["machine_wish", "due_at", *SPEC])
    agree_anew(agent_uid=agent.uid, monthly_micros=agent.agreed_monthly_micros, at=now)


def is_fulfilled(agent: Agent, change: Change) -> bool:
    """Whether the machine that counts is what was wished: of the plan, or its own since."""
    server = machine_of(agent)
    if server is None:
        return False
    # One of the pool was asked for before, and is the agent's only since it was claimed.
    if (server.joined_at or server.requested_at) >= change.operation.started_at:
        return True
    return agent.machine_wish == MachineWish.RESIZE and fits_plan(server, agent)


def keep_change(agent: Agent) -> None:
    """It is fulfilled: there is no way back to what was. In the worker's transaction."""
    agent.machine_wish = MachineWish.NOTHING
    agent.save(update_fields=["machine_wish"])
    Change.objects.filter(agent=agent).delete()


def put_back(agent: Agent) -> None:
    """The change came to nothing: the spec, what was agreed and what limits count are as before."""
    # What a worker holds in memory may be older than another word of its member.
    agent.refresh_from_db(fields=["machine_wish", *SPEC])
    agent.machine_wish = MachineWish.NOTHING
    change = Change.objects.filter(agent=agent).first()
    if change:
        agent.plan, agent.region = change.plan, change.region
        agent.agreed_hourly_micros = change.agreed_hourly_micros
        agent.agreed_monthly_micros = change.agreed_monthly_micros
        agent.agreed_currency = change.agreed_currency
        take_back(
            agent_uid=agent.uid,
            monthly_micros=agent.agreed_monthly_micros,
            since=change.operation.started_at,
        )
        change.delete()
    agent.save(update_fields=["machine_wish", *SPEC])
