"""The end of the set-up: the operator, the first account, the shared keys, and the start."""

from __future__ import annotations

from django.db import transaction

from farm.accounts.models import Account, Door, User
from farm.accounts.services import record
from farm.accounts.services.own import open_own_account
from farm.accounts.services.people import new_person
from farm.setup.answers import close, kept
from farm.setup.asking import OPERATOR_EMAIL, OPERATOR_NAME
from farm.setup.tokens import spend


def found_farm(*, language: str) -> User:
    """Everything was answered: make the operator, then let the farm start. Safe to do twice.

    They log in by a code sent to the address that they gave.
    """
    operator = _operator(language)
    close()
    spend()
    return operator


@transaction.atomic
def _operator(language: str) -> User:
    email = kept(OPERATOR_EMAIL)
    known = User.objects.filter(email__iexact=email).first()
    operator = known or new_person(email=email, language=language)
    operator.is_superuser, operator.display_name = True, kept(OPERATOR_NAME)
    operator.save(update_fields=["is_superuser", "display_name"])
    if not operator.memberships.exists():
        open_own_account(user=operator, door=Door.WEB)
    record(
        account=Account.objects.filter(members=operator).order_by("pk").first(),
        actor=operator,
        door=Door.WEB,
        verb="set up farm",
        subject=operator.username,
    )
    return operator
