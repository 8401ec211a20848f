"""`farm agents budget|renew-key`: what an agent may spend on AI, and its key to the relay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from django.utils import timezone

from farm.accounts.models import Door
from farm.agents.models import Agent
from farm.agents.services import renew_relay_key, set_budget
from farm.billing.ai_spend import ai_month
from farm.billing.amounts import cents
from farm.ops.amounts import micros_in
from farm.ops.answer import AsJson, print_json
from farm.ops.finding import agent_called
from farm.ops.people import ActingAs, acting
from farm.ops.refusing import serving

Which = Annotated[str, typer.Argument(metavar="AGENT", help="Its name or its uid.")]


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """This month's AI of an agent in micro-euros; `budget_micros` is null with a key of its own."""

    agent: str
    budget_micros: int | None
    spent_micros: int


def budget(
    which: Which,
    euros: Annotated[
        str, typer.Argument(metavar="[EUR]", help="From now on, a month; shown unless given.")
    ] = "",
    *,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Show or set what an agent may spend on AI in a month."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        if euros:
            micros = micros_in(euros, "EUR")
            set_budget(actor=actor, door=Door.CLI, agent=agent, micros=micros)
            agent.refresh_from_db()
        _show(agent, as_json=as_json)


def renew_key(which: Which, *, email: ActingAs = "", as_json: AsJson = False) -> None:
    """Make an agent's key to the relay void, and give its machine a new one."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        renew_relay_key(actor=actor, door=Door.CLI, agent=agent)
        if as_json:
            print_json({"renewed": agent.uid})
        else:
            typer.echo(f"{agent.name} gets a new key; the old one is void.")


def _show(agent: Agent, *, as_json: bool) -> None:
    spent = ai_month(agent.uid, timezone.now()).spent_micros
    if as_json:
        print_json(BudgetRow(agent.uid, agent.ai_budget_micros, spent))
    elif agent.ai_budget_micros is None:
        typer.echo(f"{agent.name} thinks with a key of its own: its provider counts, not the farm.")
    else:
        whole = cents(agent.ai_budget_micros, "EUR")
        typer.echo(f"{agent.name} may spend {whole} a month on AI, {cents(spent, 'EUR')} so far.")
