"""What the relay must know of a provider's wire format, and what it reads from one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from farm.billing.ai_prices import Tokens
from farm.relay.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as its caller made it. `most_written` is None where the caller named no limit.

    `usage_wanted` is False where the relay must ask for the usage itself and hide it again.
    """

    model: str
    body: JsonObject
    stream: bool
    most_written: int | None
    least_written: int = 1
    usage_wanted: bool = True


@dataclass(frozen=True, slots=True)
class Usage:
    """What a provider counted; `dollars` where it says itself what the call cost."""

    tokens: Tokens
    dollars: Decimal | None = None


class Meter(Protocol):
    """Reads the usage of one answer while it passes."""

    def whole(self, answer: JsonObject) -> None:
        """An answer in one piece."""

    def event(self, event: JsonObject) -> None:
        """One event of a streamed answer."""

    @property
    def usage(self) -> Usage | None:
        """The whole usage, once it has been told; None before."""


class Dialect(Protocol):
    """A provider's way of asking and answering."""

    @property
    def kind(self) -> str:
        """The media type of a streamed answer."""

    def key(self, headers: Mapping[str, str], query: Mapping[str, str]) -> str:
        """The key that a caller shows where this provider's callers show theirs, "" without."""

    def asked(self, body: JsonObject, tail: str) -> Asked:
        """The call; `tail` is what follows the version in its path. BadCall says why not."""

    def body(self, asked: Asked, most_written: int) -> JsonObject:
        """What is sent upstream."""

    def path(self, asked: Asked) -> str:
        """Where it is sent, below the provider's endpoint."""

    def headers(self, key: str, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """With which headers: the real key, and those of the caller that mean something there."""

    def meter(self) -> Meter:
        """A fresh one for one answer."""

    def shown(self, asked: Asked, event: JsonObject) -> JsonObject | None:
        """The event as the caller shall see it; None hides it."""

    def saying(self, words: str, asked: Asked) -> Iterator[bytes]:
        """A normal answer of a model that says these words, in the form that was asked for."""

    def models(self, model: str) -> bytes:
        """The list of models, of which a caller has one."""

    def error(self, status: int, message: str) -> bytes:
        """The provider's envelope of an error."""
