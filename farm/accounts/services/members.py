"""What changes who belongs to an account, and as what."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, Door, Membership, Role, User
from farm.accounts.permissions import Action, demand, demanded_for
from farm.accounts.refusals import Refused
from farm.accounts.services.audit import record


@transaction.atomic
def change_role(*, actor: User, door: Door, membership: Membership, role: Role) -> Membership:
    """What this member may do from now on; Refused if nobody would own the account any more."""
    account, membership = _locked(membership)
    demand(actor, demanded_for(role, Role(membership.role)), account)
    if membership.role == role:
        return membership
    _demand_another_owner(account, membership)
    membership.role = role
    membership.save(update_fields=["role"])
    record(
        account=account,
        actor=actor,
        door=door,
        verb=f"make {role.value}",
        subject=membership.user.username,
    )
    return membership


@transaction.atomic
def remove_member(*, actor: User, door: Door, membership: Membership) -> None:
    """Take somebody out of the account. What they keep in it stays with the account.

    Called by the agents' service of the same name, which also ends what their agents still answer.
    """
    account, membership = _locked(membership)
    demand(actor, demanded_for(Role(membership.role)), account)
    _take_out(actor, door, account, membership, verb="remove member")


@transaction.atomic
def leave_account(*, actor: User, door: Door, account: Account) -> None:
    """The actor goes; Refused for the last owner."""
    demand(actor, Action.LEAVE_ACCOUNT, account)
    account, membership = _locked(account.memberships.get(user=actor))
    _take_out(actor, door, account, membership, verb="leave account")


def _take_out(
    actor: User, door: Door, account: Account, membership: Membership, *, verb: str
) -> None:
    _demand_another_owner(account, membership)
    membership.delete()
    record(account=account, actor=actor, door=door, verb=verb, subject=membership.user.username)


def _locked(membership: Membership) -> tuple[Account, Membership]:
    """Both rows as they are now: of two owners who remove each other, one stays.

    The account is the lock: the memberships of one account change one after another.
    """
    account = Account.objects.select_for_update(no_key=True).get(pk=membership.account_id)
    fresh = account.memberships.select_related("user").filter(pk=membership.pk).first()
    if fresh is None:
        raise Refused("", "no_member", _("This person is no member of the account any more."))
    return account, fresh


def _demand_another_owner(account: Account, membership: Membership) -> None:
    if membership.role != Role.OWNER:
        return
    if not account.memberships.filter(role=Role.OWNER).exclude(pk=membership.pk).exists():
        sentence = _("An account keeps at least one owner: make somebody else an owner first.")
        raise Refused("role", "last_owner", sentence)
