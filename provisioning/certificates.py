"""The farm's SSH certificate authority: short certificates, each for one machine."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
    load_ssh_private_key,
)

from provisioning.errors import NeedsOperator

LIFETIME = timedelta(minutes=5)
CLOCK_SKEW = timedelta(minutes=1)
"""A machine's clock may be this much behind ours; it is part of the five minutes."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key pair that opens one machine for five minutes; `serial` and `key_id` are for audit."""

    private_key: str = field(repr=False)
    certificate: str
    serial: int
    key_id: str


@dataclass(frozen=True, slots=True)
class Authority:
    """The CA's keys, the signing one first. Machines trust all of them, so that keys can rotate."""

    keys: tuple[Ed25519PrivateKey, ...]

    @classmethod
    def from_openssh(cls, texts: Sequence[str]) -> Authority:
        """From OpenSSH private keys; NeedsOperator if one is not ed25519 or there is none."""
        keys = tuple(_private_key(text) for text in texts)
        if not keys:
            raise NeedsOperator("no_ca_key", "The farm has no SSH CA key; make one first.")
        return cls(keys)

    @property
    def public_keys(self) -> tuple[str, ...]:
        """What machines are to trust, as OpenSSH text."""
        return tuple(_public_text(key) for key in self.keys)

    def certify(
        self, principal: str, now: datetime, *, terminal: bool = False
    ) -> tuple[Certificate, ...]:
        """One certificate per CA key for `principal`, valid five minutes around `now` (aware).

        Only a person at a keyboard needs a `terminal`.
        """
        return tuple(_certify(key, principal, now, terminal=terminal) for key in self.keys)


def new_private_key() -> tuple[str, str]:
    """A new ed25519 key pair: (private OpenSSH text, public OpenSSH line)."""
    key = Ed25519PrivateKey.generate()
    return _private_text(key), _public_text(key)


def _certify(
    authority: Ed25519PrivateKey, principal: str, now: datetime, *, terminal: bool
) -> Certificate:
    key = Ed25519PrivateKey.generate()
    serial = secrets.randbits(63)
    key_id = f"farm-{principal}-{serial:x}"
    builder = (
        SSHCertificateBuilder()
        .public_key(key.public_key())
        .serial(serial)
        .type(SSHCertificateType.USER)
        .key_id(key_id.encode())
        .valid_principals([principal.encode()])
        .valid_after(int((now - CLOCK_SKEW).timestamp()))
        .valid_before(int((now - CLOCK_SKEW + LIFETIME).timestamp()))
        .add_extension(b"permit-port-forwarding", b"")
    )
    if terminal:
        builder = builder.add_extension(b"permit-pty", b"")
    certificate = builder.sign(authority)
    text = certificate.public_bytes().decode()
    return Certificate(_private_text(key), text, serial, key_id)


def _private_key(text: str) -> Ed25519PrivateKey:
    try:
        key = load_ssh_private_key(text.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise NeedsOperator("bad_ca_key", f"An SSH CA key cannot be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NeedsOperator("bad_ca_key", "An SSH CA key is not ed25519.")
    return key


def _private_text(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def _public_text(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
