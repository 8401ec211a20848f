"""Which model keys an account shares, and how they are used."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet

from farm.accounts.models import Account, User
from farm.accounts.permissions import Action, may
from farm.agents.models import Agent, BudgetRequest, SharedKey
from farm.billing.models import Payer


def shared_keys_of(account: Account) -> QuerySet[SharedKey]:
    """Those that may be used, the oldest first; none for an account that is not made yet."""
    return SharedKey.objects.filter(account_id=account.pk, revoked_at=None).order_by("pk")


def agents_with(key: SharedKey) -> int:
    """How many living agents think with it."""
    return key.agents.filter(wanted=Agent.Wanted.RUNNING).count()


def lender_of(key: SharedKey, payer: Payer | None = None) -> str:
    """Who pays for the AI: whom the key is charged to, else `payer`, who pays for the agent.

    Without an agent yet, the account.
    """
    named = Payer.objects.filter(uid=key.payer_uid).first() if key.payer_uid else None
    charged = named or payer
    return charged.name if charged else key.account.name


def budgets_in(account: Account) -> Mapping[str, int]:
    """What each living agent of the account with a shared key may spend a month, in micro-euros."""
    living = account.agents.filter(wanted=Agent.Wanted.RUNNING).exclude(shared_key=None)
    return {agent.uid: agent.ai_budget_micros or 0 for agent in living}


def open_request_of(agent: Agent) -> BudgetRequest | None:
    """The wish for more that waits for an answer."""
    return agent.budget_requests.filter(state=BudgetRequest.State.OPEN).first()


def budget_request_for(reader: User, uid: str) -> BudgetRequest:
    """The request, for whoever may see its agent's account; BudgetRequest.DoesNotExist else."""
    found = BudgetRequest.objects.select_related("agent__account", "agent__owner").get(uid=uid)
    if not may(reader, Action.SEE_ACCOUNT, found.agent.account):
        raise BudgetRequest.DoesNotExist
    return found
