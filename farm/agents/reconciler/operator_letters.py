"""Mail to who runs the farm: a cloud needs them."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.utils import translation

from farm.accounts.mail import send
from farm.accounts.models import User
from farm.accounts.operators import operators
from farm.agents.models import ProviderProject
from farm.agents.projects import FULL
from farm.agents.selectors.morning.todos import command_that_mends
from farm.agents.sentences import sentence_for

logger = logging.getLogger(__name__)


def tell_of_pause(project: ProviderProject, reason: str, detail: str) -> None:
    """One mail to every operator; `farm` and the operator's page go on saying the same."""
    for operator in operators():
        _write(operator, project, reason, detail)


def _write(operator: User, project: ProviderProject, reason: str, detail: str) -> None:
    with translation.override(operator.language):
        context = {
            "cloud": str(project),
            "what": str(sentence_for(reason).what),
            "detail": detail,
            "command": command_that_mends(reason),
            "url": f"{settings.SITE_URL}/operator/",
        }
    template = "cloud_full" if reason == FULL else "cloud_paused"
    try:
        send(template=template, to=operator.email, language=operator.language, context=context)
    except (OSError, SMTPException) as error:
        logger.warning("No mail about %s went out to %s: %s", project, operator, error)
