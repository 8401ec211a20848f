"""What makes a backup unreadable to whoever keeps it: age, to a key pair of X25519."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from pyrage import DecryptError, decrypt_io, x25519

from provisioning.errors import Rejected
from provisioning.streams import Sink


@dataclass(frozen=True, slots=True)
class KeyPair:
    """`public` may be told to anybody, `private` to nobody; both are age's own text."""

    public: str
    private: str = field(repr=False)


def new_key_pair() -> KeyPair:
    """A pair that nothing was sealed to yet."""
    identity = x25519.Identity.generate()
    return KeyPair(public=str(identity.to_public()), private=str(identity))


def unseal(sealed: BinaryIO, private: str, sink: Sink) -> None:
    """Hand what `sealed` holds to `sink` piece by piece, nothing of it kept here.

    Rejected with code "backup_unreadable" for another key, a changed byte or a missing end; what
    came before that is already handed on, so the taker must not use it. What `sink` raises goes
    on up.
    """
    writer = _Writer(sink)
    try:
        decrypt_io(sealed, cast(BinaryIO, writer), [x25519.Identity.from_str(private)])
    except (DecryptError, OSError, ValueError) as error:
        if writer.failed:
            raise writer.failed from None
        raise Rejected("backup_unreadable", f"The backup cannot be read: {error}") from error


class _Writer(io.RawIOBase):
    """A file whose content goes on; the error of the taker is kept, as age tells its text only."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.failed: Exception | None = None

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        try:
            self._sink(bytes(piece))
        except Exception as error:
            self.failed = error
            raise OSError("The taker failed.") from error
        return len(piece)
