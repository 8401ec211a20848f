"""The way from the site to an agent's own host: a code for a minute, then a visit."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.accounts.sessions import is_logged_in
from farm.agents.models import Agent, EdgeCode, EdgeVisit
from farm.agents.services.rights import demand_right

CODE_LIVES = timedelta(seconds=60)
VISIT_LIVES = timedelta(hours=12)


class CodeRefused(Exception):  # noqa: N818
    """The code is unknown, used, late, or was made for another host or browser."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """What the browser is to hold on the agent's host, and where its person wanted to go there."""

    cookie: str = field(repr=False)
    path: str


def new_secret() -> str:
    """256 bits as text."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def open_door(
    *, actor: User, door: Door, agent: Agent, session_key: str, knock_hash: str, path: str
) -> str:
    """A code for the browser that holds the knock of that hash on the agent's host.

    PermissionDenied unless the console is theirs to open.
    """
    demand_right(actor, agent, Action.OPEN_CONSOLE)
    now, code = timezone.now(), new_secret()
    EdgeCode.objects.filter(expires_at__lt=now).delete()
    EdgeCode.objects.create(
        code_hash=hash_of(code),
        knock_hash=knock_hash,
        user=actor,
        agent=agent,
        session_key=session_key,
        path=path,
        expires_at=now + CODE_LIVES,
    )
    record(account=agent.account, actor=actor, door=door, verb="open console", subject=agent.uid)
    return code


def come_in(*, code: str, knock: str, host: str) -> Entrance:
    """Use a code up, whatever comes of it; CodeRefused unless all it is bound to is there."""
    shown = EdgeCode.objects.select_related("user", "agent").filter(code_hash=hash_of(code)).first()
    # Of two who come at once one deletes the row, and only that one may go on.
    if shown is None or EdgeCode.objects.filter(code_hash=hash_of(code)).delete()[0] != 1:
        raise CodeRefused
    in_time = shown.expires_at > timezone.now()
    same_place = shown.agent.host == host
    same_browser = secrets.compare_digest(shown.knock_hash, hash_of(knock))
    if not (in_time and same_place and same_browser):
        raise CodeRefused
    if not is_logged_in(shown.user, shown.session_key):
        raise CodeRefused
    return _visit(shown)


@transaction.atomic
def _visit(code: EdgeCode) -> Entrance:
    now, cookie = timezone.now(), new_secret()
    EdgeVisit.objects.filter(expires_at__lt=now).delete()
    EdgeVisit.objects.create(
        cookie_hash=hash_of(cookie),
        user=code.user,
        agent=code.agent,
        session_key=code.session_key,
        expires_at=now + VISIT_LIVES,
    )
    return Entrance(cookie, code.path)
