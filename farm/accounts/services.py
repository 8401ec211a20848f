"""What changes people and accounts."""

from __future__ import annotations

from django.db import transaction

from farm.accounts.models import Account, AuditEntry, Door, Membership, Role, User


def account_of(*, user: User) -> Account:
    """The account the person acts for; a person without one gets one of their own.

    Safe to call at every request: the membership is looked for first.
    """
    membership = user.memberships.select_related("account").order_by("pk").first()
    return membership.account if membership else _open_account(user=user)


@transaction.atomic
def _open_account(*, user: User) -> Account:
    account = Account.objects.create(name=user.called)
    Membership.objects.create(account=account, user=user, role=Role.OWNER)
    record(account=account, actor=user, door=Door.WEB, verb="open account", subject=account.uid)
    return account


def record(
    *, account: Account | None, actor: User | None, door: Door, verb: str, subject: str
) -> AuditEntry:
    """One line of the audit trail, to be written in the transaction of the deed."""
    return AuditEntry.objects.create(
        account=account, actor=actor, door=door, verb=verb, subject=subject
    )


def choose_language(*, user: User, language: str) -> None:
    """The language of the farm's mail to this person."""
    User.objects.filter(pk=user.pk).update(language=language)


@transaction.atomic
def rename_person(*, actor: User, door: Door, name: str) -> None:
    """How agents address this person from now on; an empty name goes back to the e-mail's."""
    User.objects.filter(pk=actor.pk).update(display_name=name.strip())
    record(account=None, actor=actor, door=door, verb="rename person", subject=actor.username)


def make_person(*, email: str, language: str = "en") -> User:
    """A person made by the operator, who signs in by mail code later; the address must be new."""
    user = User(email=email.lower(), language=language)
    user.set_unusable_password()
    with transaction.atomic():
        user.save()
        _open_account(user=user)
    return user
