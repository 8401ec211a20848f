"""The key by which an agent is known to the relay: its machine holds it, we look it up by hash."""

from __future__ import annotations

import hashlib
import secrets

MARK = "farm-"
LENGTH = len(MARK) + 43


def new_relay_key() -> str:
    """256 bits that nobody guesses, with a mark by which people know what it is."""
    return MARK + secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """What a key is looked up by; "" for none. Such a key needs no salt: nobody can guess it."""
    return hashlib.sha256(key.encode()).hexdigest() if key else ""
