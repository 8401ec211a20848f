"""Invitations as a browser makes them, and the guests who open them."""

from __future__ import annotations

import re
from html import unescape

from django.core import mail
from django.test import Client

from farm.accounts.models import Account, Invitation

LINK = re.compile(r"http://\S+(/invitations/[\w-]+/)")


def invite(client: Client, account: Account, **fields: str) -> str:
    """Send the form; the path of the link, from the mail or from the page that shows it once."""
    answer = client.post(f"/accounts/{account.uid}/invitations/new/", fields)
    if fields.get("email"):
        assert answer.status_code == 302, answer.content.decode()
        return path_in(str(mail.outbox[-1].body))
    assert answer.status_code == 200, answer.content.decode()
    return path_in(answer.content.decode())


def path_in(text: str) -> str:
    """The path of the invitation's link that stands in a text."""
    found = LINK.search(unescape(text))
    assert found, text
    return found[1]


def opened(path: str, client: Client | None = None) -> Client:
    """A browser that has opened the link."""
    guest = client or Client()
    answer = guest.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/invitation/")
    return guest


def page(client: Client, path: str = "/invitation/", language: str = "en") -> str:
    """What stands there."""
    return unescape(client.get(path, headers={"accept-language": language}).content.decode())


def code() -> str:
    """The six digits in the latest mail."""
    found = re.search(r"^ {4}(\d{6})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def latest() -> Invitation:
    """The invitation that was made last."""
    return Invitation.objects.latest("pk")
