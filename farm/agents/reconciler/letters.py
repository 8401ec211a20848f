"""The one mail an agent's way is worth: it answers now."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings

from farm.accounts.mail import send
from farm.agents.models import Agent

logger = logging.getLogger(__name__)


def write_that_it_answers(agent: Agent) -> None:
    """Tell its owner, who may have closed the page; a mail that does not go out stops nothing."""
    try:
        send(
            template="agent_answers",
            to=agent.owner.email,
            language=agent.language,
            context={
                "agent": agent.name,
                "member": agent.owner.called,
                "url": f"{settings.SITE_URL}/agents/{agent.uid}/",
            },
        )
    except (OSError, SMTPException) as error:
        logger.warning("No mail about %s went out: %s", agent, error)
