"""What stands in an agent's history may come from outside; a terminal shows it as words."""

from __future__ import annotations

import pytest
from django.utils import timezone

from farm.agents.events import note
from farm.ops.agent_views import events_view
from tests.farm.web import scenes


@pytest.mark.django_db
def test_a_name_with_orders_for_a_terminal_gives_none() -> None:
    agent = scenes.agent(scenes.people().alice)
    note(agent, "telegram_linked", at=timezone.now(), detail="Na\x1b]0;owned\x07dia\x1b[2J")
    shown = events_view(agent)[-1].sentence
    assert shown.endswith("Nadia")
    assert "\x1b" not in shown
