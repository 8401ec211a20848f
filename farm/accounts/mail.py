"""Mail from the farm to a person, in that person's language."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation


def send(*, template: str, to: str, language: str, context: Mapping[str, str]) -> None:
    """Render templates/email/TEMPLATE.subject.txt and TEMPLATE.txt in `language`, and send them.

    "agent_answers" takes agent, member and url. Raises OSError or smtplib.SMTPException when the
    mail server does not take it.
    """
    with translation.override(language):
        subject = " ".join(render_to_string(f"{template}.subject.txt", dict(context)).split())
        body = render_to_string(f"{template}.txt", dict(context)).strip() + "\n"
    EmailMessage(subject=subject, body=body, to=[to]).send()
