"""The mail server: whether it lets us in, and would take a mail to the operator."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from farm.accounts.refusals import Refused
from farm.setup.answers import keep, kept

PATIENCE = 10.0


class Line(StrEnum):
    """How the line to the server is kept from listeners."""

    STARTTLS = "starttls"
    TLS = "tls"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail leaves; `password` may be "" where none is asked for."""

    host: str
    port: int
    line: Line
    user: str
    sender: str
    password: str = field(repr=False)


def checked_server(
    *, host: str, port: str, line: str, user: str, password: str, sender: str
) -> MailServer:
    """What was typed, as values; without a password the kept one. Refused names the field."""
    if not host.strip():
        raise Refused("mail_host", "no_host", _("Name the server that sends your mail."))
    if not port.strip().isdecimal() or not 0 < int(port) < 65536:
        raise Refused("mail_port", "no_port", _("Give a number, mostly 587 or 465."))
    try:
        validate_email(sender.strip())
    except ValidationError:
        sentence = _("Give the address that the farm's mail comes from.")
        raise Refused("mail_from", "no_sender", sentence) from None
    chosen = Line(line) if line in list(Line) else Line.STARTTLS
    secret = password or kept("EMAIL_HOST_PASSWORD")
    return MailServer(host.strip(), int(port), chosen, user.strip(), sender.strip(), secret)


def check_server(server: MailServer, recipient: str) -> None:
    """Talk to it up to the point where a mail would go out; none does. Refused names the field."""
    try:
        with _connected(server) as talk:
            _log_in(talk, server)
            _offer(talk, server, recipient)
    except smtplib.SMTPAuthenticationError:
        sentence = _("The mail server refuses this user or password: correct them.")
        raise Refused("mail_password", "refused", sentence) from None
    except ssl.SSLError as error:
        sentence = _(
            "No safe line to the mail server (%(why)s): look at host, port and encryption."
        )
        raise Refused("mail_line", "tls", sentence % {"why": error.reason or error}) from None
    except (OSError, smtplib.SMTPException) as error:
        sentence = _("No mail server answers at %(host)s, port %(port)s (%(why)s): correct them.")
        where = {"host": server.host, "port": server.port, "why": _plain(error)}
        raise Refused("mail_host", "unreachable", sentence % where) from None


def keep_server(server: MailServer) -> None:
    """What settings need of it."""
    keep("EMAIL_HOST", server.host)
    keep("EMAIL_PORT", str(server.port))
    keep("EMAIL_USE_TLS", "1" if server.line is Line.STARTTLS else "0")
    keep("EMAIL_USE_SSL", "1" if server.line is Line.TLS else "0")
    keep("EMAIL_HOST_USER", server.user)
    keep("EMAIL_HOST_PASSWORD", server.password)
    keep("DEFAULT_FROM_EMAIL", server.sender)


def _connected(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.line is Line.TLS:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE, context=context)
    talk = smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
    if server.line is Line.STARTTLS:
        talk.starttls(context=context)
    return talk


def _log_in(talk: smtplib.SMTP, server: MailServer) -> None:
    if not server.user:
        return
    try:
        talk.login(server.user, server.password)
    except smtplib.SMTPNotSupportedError:
        sentence = _("This server asks for no user: leave user and password empty.")
        raise Refused("mail_user", "no_login", sentence) from None


def _offer(talk: smtplib.SMTP, server: MailServer, recipient: str) -> None:
    talk.ehlo_or_helo_if_needed()
    for field_name, (code, said) in (
        ("mail_from", talk.mail(server.sender)),
        ("mail_from", talk.rcpt(recipient)),
    ):
        if code >= 400:
            sentence = _("The mail server takes no mail from this sender: %(why)s.")
            why = said.decode(errors="replace")[:200].strip(". ")
            raise Refused(field_name, "sender_refused", sentence % {"why": why})
    talk.rset()


def _plain(error: Exception) -> str:
    return (getattr(error, "strerror", "") or str(error))[:200]
