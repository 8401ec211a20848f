"""What makes, ends and uses an invitation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, Door, Invitation, InvitationUse, Membership, Role, User
from farm.accounts.permissions import demand, demanded_for
from farm.accounts.refusals import Refused
from farm.accounts.selectors import InvitationState, has_person, invitation_state, token_hash
from farm.accounts.services.audit import record
from farm.accounts.services.people import new_person

MOST_DAYS = 365
MOST_USES = 500


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """What an inviter offers; "" and None stand for the defaults of account and catalogue.

    With `email` it is for that address alone and used once. Its agent is paid by `payer_uid`;
    `shared_key_uid` and `ai_budget_micros` (a month) say whose model key it thinks with.
    """

    email: str = ""
    language: str = "en"
    role: Role = Role.MEMBER
    payer_uid: str = ""
    cost_centre: str = ""
    blueprint: str = ""
    plan: str = ""
    region: str = ""
    shared_key_uid: str = ""
    ai_budget_micros: int | None = None
    days: int = 14
    most_uses: int = 1


@dataclass(frozen=True, slots=True)
class Opened:
    """An invitation as it was made. Its `token` is known now and never again."""

    invitation: Invitation
    token: str = field(repr=False)


@transaction.atomic
def add_invitation(*, actor: User, door: Door, account: Account, offer: NewInvitation) -> Opened:
    """A place and an agent for whoever opens the link; Refused says at which field.

    What is on sale and who pays is checked by the agents' service of the same name.
    """
    demand(actor, demanded_for(offer.role), account)
    email = _checked_address(account, offer.email)
    uses = _within(offer.most_uses, MOST_USES, "most_uses")
    now, token = timezone.now(), secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        account=account,
        inviter=actor,
        token_hash=token_hash(token),
        email=email,
        language="fr" if offer.language.startswith("fr") else "en",
        role=offer.role,
        payer_uid=offer.payer_uid,
        cost_centre=offer.cost_centre,
        blueprint=offer.blueprint,
        plan=offer.plan,
        region=offer.region,
        shared_key_uid=offer.shared_key_uid,
        ai_budget_micros=offer.ai_budget_micros,
        created_at=now,
        expires_at=now + timedelta(days=_within(offer.days, MOST_DAYS, "days")),
        most_uses=1 if email else uses,
    )
    record(account=account, actor=actor, door=door, verb="invite", subject=invitation.uid)
    return Opened(invitation, token)


@transaction.atomic
def revoke_invitation(*, actor: User, door: Door, invitation: Invitation) -> None:
    """Its link opens nothing any more; who took it up stays. Content if it was revoked before."""
    account = invitation.account
    demand(actor, demanded_for(Role(invitation.role)), account)
    open_ones = Invitation.objects.filter(pk=invitation.pk, revoked_at=None)
    if open_ones.update(revoked_at=timezone.now()):
        record(account=account, actor=actor, door=door, verb="revoke", subject=invitation.uid)


@transaction.atomic
def prove_by_mail(*, invitation: Invitation, door: Door, language: str) -> User | None:
    """Whoever opens a mailed invitation has that mailbox: the person of its address, new.

    None where that proves nothing: it was given as a link, or the address belongs to somebody
    already, who comes in as always. So it opens the door once.
    """
    invitation = Invitation.objects.select_for_update(no_key=True).get(pk=invitation.pk)
    if not invitation.email or has_person(invitation.email):
        return None
    if invitation_state(invitation, None, timezone.now()) != InvitationState.OPEN:
        return None
    user = new_person(email=invitation.email, language=language, proved=True)
    record(account=None, actor=user, door=door, verb="sign up", subject=invitation.uid)
    return user


def take_up(
    *, actor: User, door: Door, invitation: Invitation, agent_uid: str = ""
) -> InvitationUse:
    """The actor becomes a member, in the caller's transaction; Refused says why not.

    Of many who reach for its last use one gets it: the row is changed only while one is left.
    """
    now = timezone.now()
    account = Account.objects.select_for_update(no_key=True).get(pk=invitation.account_id)
    _demand_open(Invitation.objects.get(pk=invitation.pk), actor, now)
    if not _claim(invitation, now):
        raise invitation_refused(InvitationState.USED_UP)
    Membership.objects.create(account=account, user=actor, role=invitation.role)
    record(account=account, actor=actor, door=door, verb="join account", subject=invitation.uid)
    return InvitationUse.objects.create(
        invitation=invitation, user=actor, at=now, agent_uid=agent_uid
    )


def _claim(invitation: Invitation, now: datetime) -> bool:
    """One use of it, whoever else reaches for it at this moment."""
    usable = Invitation.objects.filter(
        pk=invitation.pk, revoked_at=None, expires_at__gt=now, taken__lt=F("most_uses")
    )
    return usable.update(taken=F("taken") + 1) == 1


def _demand_open(invitation: Invitation, actor: User, now: datetime) -> None:
    state = invitation_state(invitation, actor, now)
    if state != InvitationState.OPEN:
        raise invitation_refused(state)


def invitation_refused(state: InvitationState) -> Refused:
    """The no to who opens an invitation in this state."""
    return Refused("", f"invitation_{state.value}", SENTENCES[state])


SENTENCES = {
    InvitationState.EXPIRED: _("This invitation has run out: ask for a new one."),
    InvitationState.USED_UP: _("This invitation has been used: ask for a new one."),
    InvitationState.REVOKED: _("This invitation was taken back: ask who sent it to you."),
    InvitationState.TAKEN_UP: _("You have taken this invitation up already."),
    InvitationState.MEMBER: _("You are in this account already."),
    InvitationState.OTHER_PERSON: _("This invitation is for another address than yours."),
}


def _checked_address(account: Account, email: str) -> str:
    email = email.strip().lower()
    if not email:
        return ""
    try:
        validate_email(email)
    except ValidationError:
        sentence = _("This is not an e-mail address: it looks like name@example.org.")
        raise Refused("email", "email", sentence) from None
    if account.memberships.filter(user__email__iexact=email).exists():
        raise Refused("email", "is_member", _("This person is in the account already."))
    return email


def _within(number: int, most: int, name: str) -> int:
    if 1 <= number <= most:
        return number
    sentence = _("Take a number from 1 to %(most)s.")
    raise Refused(name, name, str(sentence) % {"most": most})
