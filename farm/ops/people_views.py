"""How the command line shows the people of an account: the same values as tables and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from farm.accounts.models import Account, Invitation, User
from farm.accounts.permissions import Action, demand, may
from farm.accounts.selectors import invitation_is, invitations_of, members_of
from farm.ops.agent_views import new_table
from farm.ops.answer import console


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member."""

    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """One invitation: `state` is open, expired, used_up or revoked; `email` is "" for a link."""

    uid: str
    email: str
    role: str
    state: str
    taken: int
    most_uses: int
    expires_at: datetime
    taken_up_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class People:
    """Everybody in an account; `invitations` is empty for who may invite nobody."""

    account: str
    members: tuple[MemberRow, ...]
    invitations: tuple[InvitationRow, ...]


def people_in(actor: User, account: Account) -> People:
    """Everybody in the account; PermissionDenied for who may not see it."""
    demand(actor, Action.SEE_ACCOUNT, account)
    answers = may(actor, Action.MANAGE_PEOPLE, account)
    return People(
        account=account.name,
        members=tuple(
            MemberRow(one.user.email, one.user.called, one.role) for one in members_of(account)
        ),
        invitations=tuple(_invitation(one) for one in invitations_of(account)) if answers else (),
    )


def _invitation(one: Invitation) -> InvitationRow:
    return InvitationRow(
        uid=one.uid,
        email=one.email,
        role=one.role,
        state=invitation_is(one, timezone.now()).value,
        taken=one.taken,
        most_uses=one.most_uses,
        expires_at=one.expires_at,
        taken_up_by=tuple(use.user.email for use in one.uses.all()),
    )


def print_people(shown: People) -> None:
    """The same for people at a terminal."""
    table = new_table("Member", "Name", "Role")
    for member in shown.members:
        table.add_row(member.email, member.name, member.role)
    console().print(table)
    if not shown.invitations:
        return
    table = new_table("Invitation", "For", "Role", "State", "Taken", "Until (UTC)", "Taken up by")
    for one in shown.invitations:
        taken, until = f"{one.taken} of {one.most_uses}", f"{one.expires_at:%F %H:%M}"
        who = ", ".join(one.taken_up_by)
        table.add_row(one.uid, one.email or "a link", one.role, one.state, taken, until, who)
    console().print(table)
