"""What a command that buys a machine says first: its price, and who pays."""

from __future__ import annotations

import sys

import typer

from farm.accounts.models import Account, User
from farm.accounts.selectors import account_chosen
from farm.agents.models import Agent
from farm.agents.selectors import Quote, lender_of, offer_for, paid_by, shared_keys_of
from farm.agents.services import AgentWish
from farm.billing.amounts import at_most, cents, per_hour
from farm.billing.payers import default_payer
from farm.catalog import catalog
from farm.ops.answer import Trouble


def agree_to_create(actor: User | None, wish: AgentWish, *, asked: bool) -> None:
    """Ask whether a new agent may cost what it costs; `asked` says that somebody agreed.

    What nobody sells is left to the service to refuse.
    """
    quote = _quote(wish.plan, wish.region)
    if asked or quote is None:
        return
    account = account_chosen(actor, "") if actor else None
    payer = default_payer(account) if account else None
    said = _machine(wish.name, quote, payer.name if payer else "you")
    if account and (ai := _shared_ai(account, wish)):
        said = f"{said} {ai}"
    ask(said, "Create it?", "create it", "Nothing was created.")


def agree_to_bring_back(agent: Agent, *, asked: bool) -> None:
    """As for a new one: a deleted agent comes back on a machine that is bought for it."""
    quote = _quote(agent.plan, agent.region)
    if asked or quote is None:
        return
    said = _machine(agent.name, quote, paid_by(agent).payer.name)
    ask(said, "Bring it back?", "bring it back", "Nothing was brought back.")


def _quote(plan: str, region: str) -> Quote | None:
    shelves = catalog()
    try:
        return offer_for(plan or shelves.plans.default.key, region or shelves.regions.default.key)
    except KeyError:
        return None


def _machine(name: str, quote: Quote, payer: str) -> str:
    hourly = per_hour(quote.hourly_micros, quote.currency)
    most = at_most(quote.at_most_monthly_micros, quote.currency)
    where = quote.place_name.in_language("en")
    return (
        f"{name}: a machine, {where}, for {hourly} an hour, never more than {most} a month before"
        f" VAT, paid by {payer}."
    )


def _shared_ai(account: Account, wish: AgentWish) -> str:
    keys = shared_keys_of(account)
    if wish.shared_key_uid:
        keys = keys.filter(uid=wish.shared_key_uid)
    elif wish.model_provider or wish.model_key:
        return ""
    key = keys.first()
    if key is None:
        return ""
    budget = key.monthly_micros if wish.ai_budget_micros is None else wish.ai_budget_micros
    payer = lender_of(key, default_payer(account))
    return f"AI up to {cents(budget, 'EUR')} a month, paid by {payer}."


def ask(said: str, question: str, deed: str, nothing: str) -> None:
    """Say what it costs and ask; Trouble where nobody can answer, or the answer is no."""
    if not sys.stdin.isatty():
        raise Trouble(f"{said} Say --yes to {deed}.", code="not_confirmed", field="yes")
    if not typer.confirm(f"{said} {question}"):
        raise Trouble(nothing, code="not_confirmed", field="yes")
