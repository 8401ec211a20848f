"""Which passwords are good: Django's four rules, told in one sentence of ours."""

from __future__ import annotations

from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import User

RULES = _("At least 8 characters, not a common word, not only digits, not like your address.")

FOUR = (
    MinimumLengthValidator(),
    CommonPasswordValidator(),
    NumericPasswordValidator(),
    UserAttributeSimilarityValidator(),
)


class GoodPassword:
    """The one validator of AUTH_PASSWORD_VALIDATORS."""

    def validate(self, password: str, user: User | None = None) -> None:
        """ValidationError says everything that a good password is, once."""
        try:
            for rule in FOUR:
                rule.validate(password, user)
        except ValidationError:
            text = gettext("This one is easy to guess. %(rules)s")
            raise ValidationError(text % {"rules": RULES}, code="password_weak") from None

    def get_help_text(self) -> str:
        """What a good password is."""
        return str(RULES)
