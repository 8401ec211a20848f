"""The mails that an agent's way is worth: it answers now; its machine is lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from smtplib import SMTPException

from django.conf import settings

from farm.accounts.mail import send
from farm.agents.models import Agent
from farm.agents.saving import last_good

logger = logging.getLogger(__name__)


def write_that_it_answers(agent: Agent) -> None:
    """Tell its owner, who may have closed the page; a mail that does not go out stops nothing."""
    _write(agent, "agent_answers", {})


def write_that_it_is_lost(agent: Agent) -> None:
    """Tell its owner, once, what became of it, and of which day what comes back is."""
    kept = last_good(agent)
    day = f"{kept.made_at:%Y-%m-%d %H:%M} UTC" if kept and kept.made_at else ""
    _write(agent, "agent_lost", {"kept": day})


def _write(agent: Agent, template: str, more: Mapping[str, str]) -> None:
    context = {
        "agent": agent.name,
        "member": agent.owner.called,
        "url": f"{settings.SITE_URL}/agents/{agent.uid}/",
        **more,
    }
    try:
        send(template=template, to=agent.owner.email, language=agent.language, context=context)
    except (OSError, SMTPException) as error:
        logger.warning("No mail about %s went out: %s", agent, error)
