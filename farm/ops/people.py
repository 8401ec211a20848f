"""Who acts on the command line: the person named with --as, else the farm's first owner."""

from __future__ import annotations

from typing import Annotated

import typer
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from farm.accounts.models import Role, User
from farm.accounts.operators import operators
from farm.ops.answer import Trouble

ActingAs = Annotated[
    str,
    typer.Option(
        "--as",
        envvar="FARM_USER",
        metavar="EMAIL",
        help="Who acts; the farm's first owner unless given.",
        show_default=False,
    ),
]


def acting(email: str) -> User:
    """The person of this address, or without one the first owner; Trouble says what to do."""
    if not email:
        return _first_owner()
    try:
        return User.objects.get(email__iexact=email)
    except User.DoesNotExist:
        raise Trouble(
            f"Nobody here has the address {email}: sign up at {settings.SITE_URL}, or name somebody"
            " who has.",
            code="person_unknown",
            field="as",
        ) from None


def operating(email: str) -> User:
    """The person of this address, or without one whoever runs the farm, else the first owner."""
    running = None if email else operators().first()
    return running or acting(email)


def acting_or_new(email: str) -> User | None:
    """As `acting`, but None for an address that nobody has yet; Trouble if it is none."""
    if not email or User.objects.filter(email__iexact=email).exists():
        return acting(email)
    try:
        validate_email(email)
    except ValidationError:
        raise Trouble(f"{email} is no e-mail address.", code="email", field="as") from None
    return None


def _first_owner() -> User:
    owner = User.objects.filter(memberships__role=Role.OWNER).order_by("pk").first()
    if owner is None:
        raise Trouble(
            f"Nobody has signed up yet: do so at {settings.SITE_URL}, or create an agent with"
            " --as and your e-mail address, which makes you a member.",
            code="nobody",
            field="as",
        )
    return owner
