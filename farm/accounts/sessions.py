"""Whether somebody is still logged in at the site, asked from elsewhere than their own request."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from farm.accounts.models import User


def is_logged_in(user: User, session_key: str) -> bool:
    """Whether that session is still this person's: no log-out since, no new password."""
    if not user.is_active:
        return False
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    same_person = session.get(SESSION_KEY) == str(user.pk)
    shown = str(session.get(HASH_SESSION_KEY, ""))
    return same_person and constant_time_compare(shown, user.get_session_auth_hash())
