"""What a model's tokens cost in euros: from the prices that `genai-prices` keeps, in dollars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from django.conf import settings
from genai_prices import Usage, calc_price

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one call read and wrote. `read` counts everything read, cached or not; `cached` and
    `written_to_cache` are parts of it, and `kept_an_hour` is a part of the latter."""

    read: int = 0
    wrote: int = 0
    cached: int = 0
    written_to_cache: int = 0
    kept_an_hour: int = 0


@dataclass(frozen=True, slots=True)
class WorstCase:
    """What a call may cost at most: its reading in micro-euros, and each token that it writes."""

    read_micros: Decimal
    micros_per_written: Decimal

    def micros(self, written: int) -> int:
        """The whole call with that many tokens written."""
        return _up(self.read_micros + self.micros_per_written * written)

    def most_written(self, micros: int) -> int:
        """How many tokens may be written for that money; negative when reading alone is dearer."""
        if not self.micros_per_written:
            return 2**31 if self.read_micros <= micros else -1
        return int((micros - self.read_micros) // self.micros_per_written)


def price_of(provider: str, model: str, tokens: Tokens, at: datetime) -> int:
    """Micro-euros, rounded up once.

    A model whose price nobody knows costs what AI_UNKNOWN_USD says, so that it is never free.
    """
    return _up(_micros(_dollars(provider, model, tokens, at)))


def dollars_to_micros(dollars: Decimal) -> int:
    """Micro-euros for what a provider says itself that a call cost."""
    return _up(_micros(dollars))


def worst_case(provider: str, model: str, read: int, at: datetime) -> WorstCase:
    """For a call that reads at most `read` tokens, every one written to the dearest cache."""
    ways = (
        Tokens(read),
        Tokens(read, written_to_cache=read),
        Tokens(read, written_to_cache=read, kept_an_hour=read),
    )
    reading = max(_dollars(provider, model, way, at) for way in ways)
    # Where a long prompt makes its answer dearer, the difference says so.
    alone = _dollars(provider, model, Tokens(read), at)
    with_answer = _dollars(provider, model, Tokens(read, int(MILLION)), at)
    return WorstCase(_micros(reading), _micros((with_answer - alone) / MILLION))


def is_known(provider: str, model: str) -> bool:
    """Whether the library knows what this model costs."""
    return _library(provider, model, Tokens(1, 1), None) is not None


def _dollars(provider: str, model: str, tokens: Tokens, at: datetime) -> Decimal:
    if (known := _library(provider, model, tokens, at)) is not None:
        return known
    read, wrote = (Decimal(word) for word in settings.AI_UNKNOWN_USD)
    return (read * tokens.read + wrote * tokens.wrote) / MILLION


def _library(provider: str, model: str, tokens: Tokens, at: datetime | None) -> Decimal | None:
    usage = Usage(
        input_tokens=tokens.read,
        output_tokens=tokens.wrote,
        cache_read_tokens=tokens.cached or None,
        cache_write_tokens=tokens.written_to_cache or None,
        cache_write_1h_tokens=tokens.kept_an_hour or None,
    )
    try:
        found = calc_price(usage, model_ref=model, provider_id=provider, genai_request_timestamp=at)
    except LookupError:
        return None
    return found.total_price


def _micros(dollars: Decimal) -> Decimal:
    return dollars * Decimal(settings.USD_EUR) * MILLION


def _up(micros: Decimal) -> int:
    return int(micros.to_integral_value(rounding=ROUND_CEILING))
