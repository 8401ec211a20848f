"""What opens and names an account, and which one a person acts for."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, Door, Membership, Role, User
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.selectors import account_chosen, may_open_account
from farm.accounts.services.audit import record

LONGEST = 80


def account_of(*, user: User, chosen: str = "", door: Door = Door.WEB) -> Account:
    """The account the person acts for: the `chosen` one (a uid), if it is theirs, else their first.

    A person without one gets one of their own; Refused where only invited people have accounts.
    Safe to call at every request: the membership is looked for first.
    """
    if account := account_chosen(user, chosen):
        return account
    _demand_open_door(user)
    return open_own_account(user=user, door=door)


def open_account(*, actor: User, door: Door, name: str) -> Account:
    """A further account, whose owner the actor becomes; Refused where only the operator may."""
    demand(actor, Action.OPEN_ACCOUNT)
    _demand_open_door(actor)
    return open_own_account(user=actor, door=door, name=_checked_name(name))


@transaction.atomic
def rename_account(*, actor: User, door: Door, account: Account, name: str) -> None:
    """What its members and guests read."""
    demand(actor, Action.RENAME_ACCOUNT, account)
    Account.objects.filter(pk=account.pk).update(name=_checked_name(name))
    record(account=account, actor=actor, door=door, verb="rename account", subject=account.uid)


@transaction.atomic
def open_own_account(*, user: User, door: Door, name: str = "") -> Account:
    """An account of this person, called like them unless named; nobody is asked here."""
    account = Account.objects.create(name=name or user.called)
    Membership.objects.create(account=account, user=user, role=Role.OWNER)
    record(account=account, actor=user, door=door, verb="open account", subject=account.uid)
    return account


def _demand_open_door(user: User) -> None:
    if may_open_account(user):
        return
    sentence = _("Accounts are by invitation here: ask who runs this farm, or an account's owner.")
    raise Refused("", "by_invitation", sentence)


def _checked_name(name: str) -> str:
    name = " ".join(name.replace("\x00", "").split())
    if not name or len(name) > LONGEST or not name.isprintable():
        raise Refused("name", "account_name", _("Give the account a name of up to 80 characters."))
    return name
