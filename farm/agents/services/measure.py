"""How many agents one person may have at a time."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import User
from farm.agents.refusals import Refused
from farm.agents.selectors.agents import has_room


def demand_one_more(person: User) -> None:
    """Refused for who has as many agents as one person may have.

    In the transaction that makes one the person's row is held: of two at once, one is refused.
    """
    if connection.in_atomic_block:
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if not has_room(person):
        text = _(
            "One person has up to {most} agents here: delete one first, or ask who runs this farm."
        )
        sentence = format_lazy(text, most=settings.AGENTS_PER_PERSON)
        raise Refused("", "too_many_agents", sentence)
