"""The farm's own TLS: its authority, what it signs for machines, and a checked talk with one."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.errors import NeedsOperator
from provisioning.streams import Channel

AUTHORITY_LIFETIME = timedelta(days=5 * 365)
LIFETIME = timedelta(days=90)
CLOCK_SKEW = timedelta(hours=1)
"""A machine's clock may be this much behind ours."""
_CHUNK = 32 * 1024


@dataclass(frozen=True, slots=True)
class Credential:
    """A private key and its certificate, both PEM, and when the certificate ends (aware)."""

    private_key: str = field(repr=False)
    certificate: str
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe, as PEM certificates of authorities, and which name the other must show."""

    authorities: str
    name: str


def new_authority(now: datetime) -> Credential:
    """An authority that may sign for machines and for no further authority."""
    key, name = new_key(SECP256R1()), _name(f"Agent farm {now:%F}")
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = _builder(name, name, key, now, now + AUTHORITY_LIFETIME)
    signed = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, SHA256())
    )
    return _credential(key, signed)


def issue(authority: Credential, name: str, now: datetime) -> Credential:
    """A key of its own for the machine that answers by `name`, good for ninety days."""
    signer, issuer = _signer(authority)
    key = new_key(SECP256R1())
    ends = min(now + LIFETIME, issuer.not_valid_after_utc)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    signed = (
        _builder(_name(name), issuer.subject, key, now, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(above, critical=False)
        .sign(signer, SHA256())
    )
    return _credential(key, signed)


class TlsChannel:
    """A channel inside which TLS is spoken with whom `trust` names; ssl.SSLError for others."""

    def __init__(self, channel: Channel, trust: Trust) -> None:
        context = ssl.create_default_context(cadata=trust.authorities)
        self._channel = channel
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=trust.name)
        self._greeted = False

    def settimeout(self, timeout: float | None) -> None:
        """Bound each following read and write, in seconds."""
        self._channel.settimeout(timeout)

    def sendall(self, s: bytes) -> None:
        """Send everything, after the greeting."""
        self._greet()
        self._tls.write(s)
        self._flush()

    def recv(self, nbytes: int) -> bytes:
        """What came; empty at its end, an orderly one or not: HTTP tells whether all is there."""
        self._greet()
        while True:
            try:
                return self._tls.read(nbytes)
            except ssl.SSLWantReadError:
                if not self._more():
                    return b""
            except ssl.SSLZeroReturnError:
                return b""

    def _greet(self) -> None:
        while not self._greeted:
            try:
                self._tls.do_handshake()
                self._greeted = True
            except ssl.SSLWantReadError:
                self._flush()
                if not self._more():
                    raise EOFError from None
            self._flush()

    def _flush(self) -> None:
        if said := self._outgoing.read():
            self._channel.sendall(said)

    def _more(self) -> bool:
        self._flush()
        heard = self._channel.recv(_CHUNK)
        self._incoming.write(heard)
        return bool(heard)


def _builder(
    name: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - CLOCK_SKEW,
        not_valid_after=ends,
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _credential(key: EllipticCurvePrivateKey, certificate: x509.Certificate) -> Credential:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = certificate.public_bytes(Encoding.PEM)
    return Credential(private.decode(), public.decode(), certificate.not_valid_after_utc)


def _signer(authority: Credential) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    try:
        key = load_pem_private_key(authority.private_key.encode(), password=None)
        certificate = x509.load_pem_x509_certificate(authority.certificate.encode())
    except ValueError as error:
        raise NeedsOperator("bad_tls_key", f"The farm's TLS key cannot be read: {error}") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise NeedsOperator("bad_tls_key", "The farm's TLS key is of an unknown kind.")
    return key, certificate
