"""An account and its people in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farm.accounts.models import Account, Membership, Role, User
from farm.accounts.permissions import Action, may
from farm.accounts.selectors import members_of
from farm.agents.models import Agent
from farm.agents.selectors import left_behind_in
from farm.web.presenters.invitations import InvitationLine, invitation_lines


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One member; `roles` are those that the reader may give, none where they may change nothing.

    `email` is "" for readers who do not answer for the account.
    """

    username: str
    name: str
    email: str
    role: str
    role_name: str
    is_me: bool
    roles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TeamWords:
    """The account's page for one reader."""

    uid: str
    name: str
    members: tuple[MemberLine, ...]
    invitations: Sequence[InvitationLine]
    left_behind: Sequence[Agent]
    may_rename: bool
    may_invite: bool


def team_words(account: Account, reader: User) -> TeamWords:
    """Who is in it; and for who answers for it, whom they may change, and who is invited."""
    answers = may(reader, Action.MANAGE_PEOPLE, account)
    return TeamWords(
        uid=account.uid,
        name=account.name,
        members=tuple(_line(member, reader, account) for member in members_of(account)),
        invitations=invitation_lines(account) if answers else (),
        left_behind=tuple(left_behind_in(account)) if answers else (),
        may_rename=may(reader, Action.RENAME_ACCOUNT, account),
        may_invite=answers,
    )


def roles_for(account: Account, reader: User) -> tuple[tuple[str, str], ...]:
    """The roles that the reader may give, with their names; the least one first."""
    if not may(reader, Action.MANAGE_PEOPLE, account):
        return ()
    roles = [Role.MEMBER, Role.ADMIN]
    if may(reader, Action.MANAGE_OWNERS, account):
        roles.append(Role.OWNER)
    return tuple((role.value, str(role.label)) for role in roles)


def _line(member: Membership, reader: User, account: Account) -> MemberLine:
    roles = roles_for(account, reader)
    reaches = member.role in [key for key, _ in roles]
    return MemberLine(
        username=member.user.username,
        name=member.user.called,
        email=member.user.email if roles or member.user_id == reader.pk else "",
        role=member.role,
        role_name=member.get_role_display(),
        is_me=member.user_id == reader.pk,
        roles=roles if reaches else (),
    )
