"""The end of the set-up: the operator, the first account, the shared keys, and the start."""

from __future__ import annotations

from django.db import transaction

from farm.accounts.models import Account, Door, User
from farm.accounts.refusals import Refused
from farm.accounts.services import account_of, record
from farm.accounts.services.own import open_own_account
from farm.accounts.services.people import new_person
from farm.agents.services.shared_keys import KeyWish, add_shared_key
from farm.catalog import ModelProvider
from farm.setup.answers import close, forget, kept
from farm.setup.asking import OPERATOR_EMAIL, OPERATOR_NAME
from farm.setup.clouds import model_field, models_asked_for
from farm.setup.tokens import spend


def found_farm(*, language: str) -> User:
    """Everything was answered: make the operator, then let the farm start. Safe to do twice.

    They log in by a code sent to the address that they gave. Refused when a provider of models, who
    took its key a moment ago, does not any more.
    """
    operator = _operator(language)
    for provider in models_asked_for():
        _share(operator, provider)
    close()
    spend()
    return operator


def _share(operator: User, provider: ModelProvider) -> None:
    """From the file into the database, where it is encrypted and has a page of its own."""
    name = model_field(provider)
    if not (key := kept(name)):
        return
    wish = KeyWish(provider=provider.key, key=key)
    account = account_of(user=operator)
    try:
        add_shared_key(actor=operator, account=account, door=Door.WEB, wish=wish)
    except Refused as refused:
        raise Refused(name, refused.code, refused.sentence) from None
    forget(name)


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
