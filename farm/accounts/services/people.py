"""What changes a person."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.db import transaction

from farm.accounts.models import Door, User
from farm.accounts.operators import operators
from farm.accounts.permissions import Action, demand
from farm.accounts.services.audit import record
from farm.accounts.services.own import open_own_account


def choose_language(*, user: User, language: str) -> None:
    """The language of the farm's mail to this person."""
    User.objects.filter(pk=user.pk).update(language=language)


@transaction.atomic
def rename_person(*, actor: User, door: Door, name: str) -> None:
    """How agents address this person from now on; an empty name goes back to the e-mail's."""
    User.objects.filter(pk=actor.pk).update(display_name=name.strip())
    record(account=None, actor=actor, door=door, verb="rename person", subject=actor.username)


@transaction.atomic
def make_person(*, email: str, language: str = "en", door: Door = Door.CLI) -> User:
    """A person made by the operator, who signs in by mail code later; the address must be new."""
    user = new_person(email=email, language=language)
    open_own_account(user=user, door=door)
    return user


@transaction.atomic
def name_operator(*, actor: User | None, door: Door, person: User) -> None:
    """Have this person answer for the whole farm.

    As long as nobody does, whoever has the farm's own machine at hand names the first, without an
    actor; PermissionDenied to anybody but an operator from then on.
    """
    if actor is not None:
        demand(actor, Action.OPERATE_FARM)
    elif operators().exists():
        raise PermissionDenied(Action.OPERATE_FARM)
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    record(account=None, actor=actor, door=door, verb="name operator", subject=person.username)


def new_person(*, email: str, language: str, proved: bool = False) -> User:
    """A person without a password and without an account, inside the caller's transaction.

    Their first code proves the address, unless something has `proved` it already.
    """
    user = User(email=email.lower(), language=language)
    user.set_unusable_password()
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=proved, primary=True)
    return user
