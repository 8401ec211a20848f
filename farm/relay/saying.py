"""What an agent says when its budget, or its payer's money, is used up, in its own language."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from farm.agents.selectors.relay import Caller
from farm.billing.ai_room import AiRoom, Bound
from farm.billing.amounts import cents


def words_about_budget(caller: Caller, *, first: bool) -> str:
    """The sentence with its link to ask for more; once told, a shorter one."""
    with translation.override(caller.language):
        budget = cents(caller.spender.budget_micros, "EUR")
        step = cents(settings.AI_BUDGET_STEP_EUR * 1_000_000, "EUR")
        page = f"{settings.SITE_URL}/agents/{caller.agent_uid}/budget/"
        if not first:
            return gettext("My budget of %(budget)s is still used up.") % {"budget": budget}
        words = gettext("I have reached my budget of %(budget)s. [Ask for %(step)s more](%(page)s)")
        return words % {"budget": budget, "step": step, "page": page}


def words_about_payer(caller: Caller, room: AiRoom) -> str:
    """Why who pays for its AI can pay no call more, and what to do."""
    with translation.override(caller.language):
        page = f"{settings.SITE_URL}/money/"
        named = {"payer": room.payer, "page": page, "limit": cents(room.limit, "EUR")}
        match room.bound:
            case Bound.WALLET:
                words = gettext(
                    "The money of %(payer)s is used up, so I cannot think. [Pay in](%(page)s)"
                )
            case Bound.LIMIT:
                words = gettext(
                    "%(payer)s pays up to %(limit)s this month, and that is used up, so I cannot"
                    " think. [Money](%(page)s)"
                )
            case Bound.FROZEN:
                words = gettext(
                    "%(payer)s is frozen, because a payment of it is in dispute, so I cannot think."
                )
        return words % named
