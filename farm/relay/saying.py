"""What an agent says when its budget is used up, in its own language."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from farm.agents.selectors.relay import Caller
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
