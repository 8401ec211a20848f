"""Whose money pays for an agent's AI, and for which agents' AI a payer pays."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone

from farm.agents.models import Agent
from farm.billing.limits import AiBudget
from farm.billing.models import Assignment, Payer
from farm.billing.payers import assignments_at


def ai_payer_of(agent: Agent, payer: Payer) -> Payer | None:
    """Whom the shared key is charged to, else `payer`, who pays for the agent; None: own key."""
    shared = agent.shared_key
    if shared is None:
        return None
    return Payer.objects.filter(uid=shared.payer_uid).first() if shared.payer_uid else payer


def ai_budgets_of(payer: Payer) -> Sequence[AiBudget]:
    """The budgets of all living agents whose AI the payer pays now."""
    charged = Q(shared_key__payer_uid=payer.uid) | Q(shared_key__payer_uid="")
    living = Agent.objects.filter(charged, account=payer.account, shared_key__isnull=False)
    agents = list(living.exclude(wanted=Agent.Wanted.DELETED).select_related("owner", "shared_key"))
    paid = assignments_at([agent.uid for agent in agents], timezone.now())
    return [
        AiBudget(agent.uid, agent.owner.username, agent.ai_budget_micros or 0)
        for agent in agents
        if (agent.shared_key and agent.shared_key.payer_uid) or _pays(payer, paid.get(agent.uid))
    ]


def _pays(payer: Payer, said: Assignment | None) -> bool:
    return said is not None and said.payer == payer
