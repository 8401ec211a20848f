"""Mail to who runs the farm: a cloud needs them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation
from django.utils.formats import date_format

from farm.accounts.mail import send
from farm.accounts.models import User
from farm.accounts.operators import operators
from farm.agents.models import ProviderProject, Retirement
from farm.agents.projects import FULL
from farm.agents.selectors.morning.todos import command_that_mends
from farm.agents.sentences import sentence_for
from farm.billing.difference_words import sentence_of
from farm.billing.reconciliation_rows import Difference

logger = logging.getLogger(__name__)
MOST_TOLD = 50


def tell_of_pause(project: ProviderProject, reason: str, detail: str) -> None:
    """One mail to every operator; `farm` and the operator's page go on saying the same."""
    for operator in operators():
        _write(operator, project, reason, detail)


def tell_of_retirement(row: Retirement) -> None:
    """One mail to every operator that the cloud stops selling what the farm uses."""
    for operator in operators():
        with translation.override(operator.language):
            context = {
                "cloud": row.provider,
                "what": f"{row.get_kind_display()} {row.name} {row.location}".rstrip(),
                "day": date_format(row.ends_at, "DATE_FORMAT"),
                "url": f"{settings.SITE_URL}/operator/",
            }
        _send("retirement", operator, context)


def tell_of_differences(found: QuerySet[Difference], now: datetime) -> None:
    """One mail to every operator about all that is new; each difference is told of once."""
    rows = list(found[:MOST_TOLD])
    number = found.count()
    if not rows:
        return
    for operator in operators():
        with translation.override(operator.language):
            context = {
                "number": str(number),
                "lines": "\n".join(f"- {sentence_of(row)}" for row in rows),
                "command": "farm billing reconcile",
                "url": f"{settings.SITE_URL}/operator/",
            }
        _send("books_differ", operator, context)
    found.update(told_at=now)


def _write(operator: User, project: ProviderProject, reason: str, detail: str) -> None:
    with translation.override(operator.language):
        context = {
            "cloud": str(project),
            "what": str(sentence_for(reason).what),
            "detail": detail,
            "command": command_that_mends(reason),
            "url": f"{settings.SITE_URL}/operator/",
        }
    _send("cloud_full" if reason == FULL else "cloud_paused", operator, context)


def _send(template: str, operator: User, context: Mapping[str, str]) -> None:
    try:
        send(template=template, to=operator.email, language=operator.language, context=context)
    except (OSError, SMTPException) as error:
        logger.warning("The mail %s did not go out to %s: %s", template, operator, error)
