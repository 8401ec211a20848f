"""`farm agents stop|wake|resize|move|rebuild`: what is wished about an agent's machine."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import typer
from django.utils import timezone

from farm.accounts.models import Door, User
from farm.agents.models import Agent, Operation
from farm.agents.selectors import paid_by
from farm.agents.selectors.changes import offer_of_change
from farm.agents.selectors.money import Quote
from farm.agents.selectors.prices import SleepQuote, WakeQuote, sleep_quote, wake_quote
from farm.agents.services import (
    move_agent_to,
    rebuild_agent,
    resize_agent,
    stop_agent,
    wake_agent,
)
from farm.billing.amounts import at_most, per_hour
from farm.billing.prices import Rate
from farm.billing.selectors import at_most_monthly
from farm.ops.agent_views import print_agent, whole_agent
from farm.ops.agreeing import ask
from farm.ops.answer import AsJson, console, print_json
from farm.ops.finding import agent_called
from farm.ops.people import ActingAs, acting
from farm.ops.refusing import serving
from farm.ops.waiting import wait_for_operation, wait_for_prices

Which = Annotated[str, typer.Argument(metavar="AGENT", help="Its name or its uid.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Answer at once; a worker does the rest.")]
Seconds = Annotated[int, typer.Option("--timeout", min=1, help="How long to wait, in seconds.")]
Yes = Annotated[bool, typer.Option("--yes", help="Agree to the price; --json does so too.")]
NIGHT = 12


@dataclass(frozen=True, slots=True)
class Wait:
    """How a command waits and answers."""

    no_wait: bool
    seconds: int
    as_json: bool


def stop(
    which: Which,
    *,
    email: ActingAs = "",
    no_wait: NoWait = False,
    timeout: Seconds = 1200,
    as_json: AsJson = False,
) -> None:
    """Save what an agent has, put it to sleep, and wait until its machine costs no more."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        if not as_json and (quote := sleep_quote(agent, timezone.now())):
            typer.echo(_sleep_line(agent, quote), err=True)
        operation = stop_agent(actor=actor, door=Door.CLI, agent=agent)
        _end(agent, actor, operation, Wait(no_wait, timeout, as_json))


def wake(
    which: Which,
    *,
    yes: Yes = False,
    email: ActingAs = "",
    no_wait: NoWait = False,
    timeout: Seconds = 900,
    as_json: AsJson = False,
) -> None:
    """Wake an agent at the price that is said, and wait until it answers."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        wait_for_prices()
        quote = wake_quote(agent)
        if quote and quote.awake and not (yes or as_json):
            _ask_to_wake(agent, quote, quote.awake)
        agreed = quote.awake if quote and quote.dearer and (yes or not as_json) else None
        operation = wake_agent(actor=actor, door=Door.CLI, agent=agent, agreed=agreed)
        _end(agent, actor, operation, Wait(no_wait, timeout, as_json))


def resize(
    which: Which,
    plan: Annotated[str, typer.Argument(help="Which size.")],
    *,
    yes: Yes = False,
    email: ActingAs = "",
    no_wait: NoWait = False,
    timeout: Seconds = 900,
    as_json: AsJson = False,
) -> None:
    """Give an agent's machine another size, at the price that is said; everything on it stays."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        wait_for_prices()
        quote = _offer(agent, plan, agent.region)
        if quote and not (yes or as_json):
            said = f"{_price(agent, quote)} It is away for about 2 minutes."
            ask(said, "Change it?", "change it", "Nothing was changed.")
        operation = resize_agent(actor=actor, door=Door.CLI, agent=agent, plan=plan)
        _end(agent, actor, operation, Wait(no_wait, timeout, as_json))


def move(
    which: Which,
    region: Annotated[str, typer.Argument(help="Where.")],
    *,
    yes: Yes = False,
    email: ActingAs = "",
    no_wait: NoWait = False,
    timeout: Seconds = 1200,
    as_json: AsJson = False,
) -> None:
    """Take an agent to another place, with its files and memory, at the price that is said."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        wait_for_prices()
        quote = _offer(agent, agent.plan, region)
        if quote and not (yes or as_json):
            said = f"{_price(agent, quote)} {LEFT_BEHIND}"
            ask(said, "Move it?", "move it", "Nothing was changed.")
        operation = move_agent_to(actor=actor, door=Door.CLI, agent=agent, region=region)
        _end(agent, actor, operation, Wait(no_wait, timeout, as_json))


def rebuild(
    which: Which,
    *,
    yes: Yes = False,
    email: ActingAs = "",
    no_wait: NoWait = False,
    timeout: Seconds = 1200,
    as_json: AsJson = False,
) -> None:
    """Put an agent on a fresh machine, with its files and memory."""
    with serving(as_json=as_json):
        actor = acting(email)
        agent = agent_called(which, actor)
        if not (yes or as_json):
            said = f"{agent.name} gets a fresh machine. {LEFT_BEHIND}"
            ask(said, "Do it?", "do it", "Nothing was changed.")
        operation = rebuild_agent(actor=actor, door=Door.CLI, agent=agent)
        _end(agent, actor, operation, Wait(no_wait, timeout, as_json))


LEFT_BEHIND = (
    "Its files, notes and memory go along; programs that it installed on its machine do not."
)


def _end(agent: Agent, actor: User, operation: Operation, wait: Wait) -> None:
    agent.refresh_from_db()
    if not wait.no_wait:
        wait_for_operation(agent, operation, seconds=wait.seconds, quiet=wait.as_json)
    agent.refresh_from_db()
    shown = whole_agent(agent, actor)
    if wait.as_json:
        print_json(shown)
    else:
        sys.stdout.flush()
        print_agent(shown, console())


def _ask_to_wake(agent: Agent, quote: WakeQuote, awake: Rate) -> None:
    dearer = " That is more than was agreed: nothing else is to be had." if quote.dearer else ""
    said = f"{agent.name}: {_rate(awake)}, paid by {_payer(agent)}.{dearer}"
    ask(said, "Wake it?", "wake it", "It sleeps on.")


def _sleep_line(agent: Agent, quote: SleepQuote) -> str:
    least = quote.break_even_hours
    short = f" Shorter than {least} h saves nothing." if least else " It saves nothing this month."
    most = "at most " if quote.at_most else ""
    return (
        f"{agent.name} asleep: {most}{_rate(quote.asleep)}; awake: {_rate(quote.awake)}."
        f" A night ({NIGHT} h) saves {_sum(quote.nap.saves(NIGHT), quote.awake.currency)}.{short}"
    )


def _offer(agent: Agent, plan: str, region: str) -> Quote | None:
    """None for what nobody sells: the service says so."""
    try:
        return offer_of_change(agent, plan, region)
    except KeyError:
        return None


def _price(agent: Agent, quote: Quote) -> str:
    return f"{agent.name}: {_rate(quote.rate)} before VAT, paid by {_payer(agent)}."


def _rate(rate: Rate) -> str:
    hourly = per_hour(rate.hourly_micros, rate.currency)
    return f"{hourly} an hour, {at_most(at_most_monthly(rate), rate.currency)} a month"


def _sum(micros: int, currency: str) -> str:
    return f"{micros / 1_000_000:.4f} {currency}"


def _payer(agent: Agent) -> str:
    return paid_by(agent).payer.name
