"""Mail to the owner and to the operator when an agent stops answering, with what was tried."""

from __future__ import annotations

import logging
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format

from farm.accounts.mail import send
from farm.accounts.models import User
from farm.accounts.operators import operators
from farm.agents.models import Watch
from farm.agents.sentences import sentence_for

logger = logging.getLogger(__name__)
TRIES = ("restart_tried", "restart_impossible")


def tell_of_silence(watch: Watch) -> bool:
    """One mail each; who runs the farm gets the commands too. False if none went out."""
    running = operators()
    readers = {user.pk: user for user in (*running, watch.agent.owner)}
    run_by = {user.pk for user in running}
    logger.error("%s does not answer: %s", watch.agent, watch.why)
    sent = sum(_write(watch, user, operator=user.pk in run_by) for user in readers.values())
    return sent > 0


def _write(watch: Watch, reader: User, *, operator: bool) -> bool:
    agent, language = watch.agent, reader.language
    template = "agent_silent_operator" if operator else "agent_silent"
    with translation.override(language):
        context = {
            "agent": agent.name,
            "uid": agent.uid,
            "owner": agent.owner.email,
            "member": reader.called,
            "since": _time(watch.silent_since or timezone.now()),
            "why": watch.why,
            "tried": _tried(watch),
            "url": f"{settings.SITE_URL}/agents/{agent.uid}/",
        }
    try:
        send(template=template, to=reader.email, language=language, context=context)
    except (OSError, SMTPException) as error:
        logger.warning("No mail about %s went out to %s: %s", agent, reader, error)
        return False
    return True


def _tried(watch: Watch) -> str:
    """A line for each thing that was tried in this silence, the oldest first."""
    tries = watch.agent.events.filter(code__in=TRIES, at__gte=watch.silent_since)
    return "\n".join(
        f"- {_time(event.at)}: {sentence_for(event.code).what} ({event.detail})" for event in tries
    )


def _time(at: datetime) -> str:
    return f"{date_format(at, 'DATETIME_FORMAT')} UTC"
