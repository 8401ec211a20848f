"""Tokens of the API: made, found, and ended."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import ApiToken, Door, User
from farm.accounts.refusals import Refused
from farm.accounts.services import record

PREFIX = "farm"
MOST_DAYS = 365
NOTED_EVERY = timedelta(minutes=10)
"""How often a token's use is written down: not at every request."""


class Scope(StrEnum):
    """What a token may do, within what its person may."""

    AGENTS_READ = "agents:read"
    AGENTS_WRITE = "agents:write"
    MONEY_READ = "money:read"
    MONEY_WRITE = "money:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token as it was made: its text is known now and never again."""

    row: ApiToken
    text: str = field(repr=False)


@transaction.atomic
def make_token(
    *, actor: User, door: Door, name: str, scopes: Collection[str], days: int
) -> MadeToken:
    """A token of the actor's own; Refused says at which field."""
    name, now, secret = name.strip(), timezone.now(), secrets.token_urlsafe(32)
    if not name or len(name) > 80:
        raise Refused("name", "token_name", _("Give it a name of up to 80 letters."))
    if not 1 <= days <= MOST_DAYS:
        raise Refused("days", "token_days", _("Let it live from 1 to 365 days."))
    wanted = sorted({_scope(scope) for scope in scopes})
    if not wanted:
        raise Refused("scopes", "token_scopes", _("Choose at least one thing that it may do."))
    row = ApiToken.objects.create(
        user=actor,
        name=name,
        token_hash=_hash(secret),
        scopes=" ".join(wanted),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    record(account=None, actor=actor, door=door, verb="make token", subject=row.uid)
    return MadeToken(row, f"{PREFIX}_{row.uid}_{secret}")


@transaction.atomic
def revoke_token(*, actor: User, door: Door, uid: str) -> None:
    """It opens nothing any more; ApiToken.DoesNotExist for another person's."""
    row = tokens_of(actor).get(uid=uid)
    if tokens_of(actor).filter(pk=row.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(account=None, actor=actor, door=door, verb="revoke token", subject=row.uid)


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """The person's tokens, the newest first."""
    return ApiToken.objects.filter(user=user).order_by("-pk")


def token_shown(text: str, now: datetime) -> ApiToken | None:
    """The living token of this text, with its person; None for anything else."""
    prefix, _found, rest = text.partition("_")
    uid, _found, secret = rest.partition("_")
    if prefix != PREFIX or not secret or not text.isascii():
        return None
    living = ApiToken.objects.select_related("user").filter(uid=uid, revoked_at=None)
    row = living.filter(expires_at__gt=now, user__is_active=True).first()
    if row is None or not secrets.compare_digest(row.token_hash, _hash(secret)):
        return None
    _note_use(row, now)
    return row


def scopes_of(token: ApiToken) -> frozenset[Scope]:
    """What it may do."""
    return frozenset(Scope(word) for word in token.scopes.split())


def _note_use(row: ApiToken, now: datetime) -> None:
    if row.used_at is None or now - row.used_at > NOTED_EVERY:
        stale = Q(used_at__isnull=True) | Q(used_at__lt=now)
        ApiToken.objects.filter(stale, pk=row.pk).update(used_at=now)


def _scope(word: str) -> str:
    try:
        return Scope(word).value
    except ValueError:
        known = ", ".join(Scope)
        sentence = str(_("There is no scope “{scope}”: choose from {known}."))
        text = sentence.format(scope=word[:40], known=known)
        raise Refused("scopes", "token_scopes", text) from None


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
