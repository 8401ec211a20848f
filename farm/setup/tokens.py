"""The one-time token that opens the set-up page; only its digest is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from farm.setup.answers import forget, keep, kept

DIGEST = "setup_token"


def mint() -> str:
    """A new token, to be shown once; earlier ones are dead, and whoever came in by them is out."""
    token = secrets.token_urlsafe(24)
    keep(DIGEST, digest_of(token))
    return token


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.strip().encode()).hexdigest()


def opens(digest: str) -> bool:
    """Whether this is the digest of the token that is alive."""
    alive = kept(DIGEST)
    return bool(alive) and hmac.compare_digest(alive.encode(), digest.encode())


def spend() -> None:
    """The token is dead, and with it the page."""
    forget(DIGEST)
