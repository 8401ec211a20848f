"""Keys to the API in words: what each may do, and until when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import ApiToken
from farm.accounts.tokens import Scope

WORDS: Mapping[str, str | Promise] = {
    Scope.AGENTS_READ: _("see my agents and what happens to them"),
    Scope.AGENTS_WRITE: _("create, restart and delete agents"),
    Scope.MONEY_READ: _("read what agents cost, and statements"),
    Scope.MONEY_WRITE: _("pay in, and change cards, VAT ids and limits"),
    Scope.PEOPLE_READ: _("see the members of my accounts, and invitations"),
    Scope.PEOPLE_WRITE: _("invite people, and take invitations back"),
}


@dataclass(frozen=True, slots=True)
class ScopeWords:
    """One thing that a key may do: as the API calls it, and as people do."""

    key: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class TokenWords:
    """One key of the list; never the key itself."""

    uid: str
    name: str
    may: str
    expires_at: datetime
    used_at: datetime | None


def scope_words(chosen: Collection[str]) -> tuple[ScopeWords, ...]:
    """Everything that can be ticked."""
    return tuple(ScopeWords(one, str(WORDS[one]), one in chosen) for one in Scope)


def token_words(rows: Iterable[ApiToken]) -> tuple[TokenWords, ...]:
    """The person's keys."""
    return tuple(_token(row) for row in rows)


def _token(row: ApiToken) -> TokenWords:
    may = ", ".join(str(WORDS.get(scope, scope)) for scope in row.scopes.split())
    return TokenWords(row.uid, row.name, may, row.expires_at, row.used_at)
