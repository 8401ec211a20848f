"""Columns whose content is unreadable without the farm's key."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression

if TYPE_CHECKING:
    TextField = models.TextField[str, str]
else:
    # Django's own field takes no type parameters at run time.
    TextField = models.TextField


class SecretField(TextField):
    """Text that is encrypted in the database and clear in memory; an empty one stays empty.

    FIELD_KEYS lists the keys, newest first: the first encrypts, every one of them decrypts.
    """

    def get_prep_value(self, value: str | None) -> str | None:
        """The token that is stored."""
        return _own().encrypt(value.encode()).decode() if value else value

    def from_db_value(
        self, value: str | None, _expression: Expression, _connection: BaseDatabaseWrapper
    ) -> str | None:
        """The clear text; cryptography's InvalidToken when no key of ours fits."""
        return _own().decrypt(value).decode() if value else value


def cipher_of(keys: tuple[str, ...]) -> MultiFernet:
    """What encrypts with the first of these keys, and decrypts with every one of them."""
    digests = [hashlib.sha256(key.encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


@lru_cache(maxsize=1)
def _own() -> MultiFernet:
    return cipher_of(tuple(settings.FIELD_KEYS))
