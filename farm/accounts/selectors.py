"""Every question that a door may ask about people, accounts and invitations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import QuerySet

from farm.accounts.models import Account, AuditEntry, Invitation, Membership, Role, User
from farm.accounts.permissions import Action, demanded_for, may


class InvitationState(StrEnum):
    """How an invitation stands to whoever opens it."""

    OPEN = "open"
    EXPIRED = "expired"
    USED_UP = "used_up"
    REVOKED = "revoked"
    TAKEN_UP = "taken_up"
    MEMBER = "member"
    OTHER_PERSON = "other_person"


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody else than its keeper was at an agent: when, who, through which door, what for."""

    at: datetime
    who: str
    door: str
    verb: str


def accounts_of(user: User) -> QuerySet[Membership]:
    """The person's memberships with their accounts, the oldest first."""
    return user.memberships.select_related("account").order_by("pk")


def account_chosen(user: User, uid: str = "") -> Account | None:
    """The person's account with this uid, else their first; None for who is in none."""
    theirs = accounts_of(user)
    membership = (theirs.filter(account__uid=uid).first() if uid else None) or theirs.first()
    return membership.account if membership else None


def has_proved_mail(user: User) -> bool:
    """Whether the person has shown that mail to their address reaches them."""
    proved = EmailAddress.objects.filter(user=user, email=user.email, verified=True)
    return bool(proved.exists())


def may_open_account(user: User) -> bool:
    """Whether the person may open accounts, by the table and by the setting SIGN_UP."""
    is_open = settings.SIGN_UP == "open" or user.is_superuser
    return is_open and may(user, Action.OPEN_ACCOUNT)


def account_for(user: User, uid: str) -> Account:
    """An account that the person may see; Account.DoesNotExist for anything else."""
    account = Account.objects.get(uid=uid)
    if not may(user, Action.SEE_ACCOUNT, account):
        raise Account.DoesNotExist(uid)
    return account


def members_of(account: Account) -> QuerySet[Membership]:
    """Everybody in the account, in the order they came."""
    return account.memberships.select_related("user").order_by("pk")


def invitations_of(account: Account) -> QuerySet[Invitation]:
    """Every invitation to it with who took it up, the newest first."""
    found = account.invitations.select_related("account", "inviter")
    return found.prefetch_related("uses__user").order_by("-pk")


def token_hash(token: str) -> str:
    """What is kept of an invitation's token."""
    return sha256(token.encode()).hexdigest()


def invitation_opened(token: str) -> Invitation:
    """The invitation of this link; Invitation.DoesNotExist for a link that is none."""
    return Invitation.objects.select_related("account", "inviter").get(token_hash=token_hash(token))


def invitation_pending(uid: str) -> Invitation | None:
    """The invitation with this uid, for who opened its link before."""
    return Invitation.objects.select_related("account", "inviter").filter(uid=uid).first()


def has_person(email: str) -> bool:
    """Whether somebody on the farm has this address."""
    return bool(email) and User.objects.filter(email__iexact=email).exists()


def agent_made_with(invitation: Invitation, user: User) -> str:
    """The uid of the agent that the person made with it, "" where there is none."""
    use = invitation.uses.filter(user=user).first()
    return use.agent_uid if use else ""


def invitation_state(invitation: Invitation, user: User | None, now: datetime) -> InvitationState:
    """What whoever opens it can do with it; `user` is None while nobody is logged in."""
    if user and invitation.uses.filter(user=user).exists():
        return InvitationState.TAKEN_UP
    if user and invitation.account.memberships.filter(user=user).exists():
        return InvitationState.MEMBER
    state = invitation_is(invitation, now)
    others = user and invitation.email and invitation.email.lower() != user.email.lower()
    is_open = state == InvitationState.OPEN
    return InvitationState.OTHER_PERSON if is_open and others else state


def invitation_is(invitation: Invitation, now: datetime) -> InvitationState:
    """How it stands, whoever opens it; it ends with its inviter's right to give that role."""
    if invitation.revoked_at:
        return InvitationState.REVOKED
    if invitation.taken >= invitation.most_uses:
        return InvitationState.USED_UP
    if invitation.expires_at <= now:
        return InvitationState.EXPIRED
    given = may(invitation.inviter, demanded_for(Role(invitation.role)), invitation.account)
    return InvitationState.OPEN if given else InvitationState.REVOKED


def accesses_to(subject: str, keeper: User) -> Sequence[Access]:
    """What others than its keeper did at the thing with this uid, the newest first."""
    entries = AuditEntry.objects.filter(subject=subject).exclude(actor=keeper)
    return [
        Access(entry.at, entry.actor.called, entry.get_door_display(), entry.verb)
        for entry in entries.exclude(actor=None).select_related("actor")
        if entry.actor
    ]
