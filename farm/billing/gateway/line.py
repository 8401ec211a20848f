"""What every request to Stripe has in common: the client, keys that make it once, errors sorted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import stripe

from farm.billing.gateway_errors import (
    AnswerLost,
    Declined,
    GatewayError,
    NeedsAuthentication,
    NeedsOperator,
    Rejected,
    Transient,
)
from farm.billing.gateway_reading import Json, Object

TAX_CODE: Final = "txcd_10101000"
"""Infrastructure as a service, business use."""
GONE: Final = "resource_missing"
ASKED: Final = ("authentication_required", "invoice_payment_intent_requires_action")
CONFLICT: Final = 409


@dataclass(frozen=True, slots=True)
class Line:
    """`client` is Stripe's own."""

    client: stripe.StripeClient


def plain(thing: stripe.StripeObject) -> Object:
    """The object as JSON has it."""
    found: dict[str, Json] = thing.to_dict()
    return found


def once(key: str) -> stripe.RequestOptions:
    """Asked again with this key within a day, Stripe answers what it answered first."""
    return {"idempotency_key": key}


@contextmanager
def sorted_errors(*, gone_is_fine: bool = False) -> Iterator[None]:
    """Stripe's errors as ours."""
    try:
        yield
    except stripe.StripeError as error:
        if gone_is_fine and error.code == GONE:
            return
        raise _ours(error) from None


def _ours(error: stripe.StripeError) -> GatewayError:
    told, code = error.user_message or type(error).__name__, error.code or ""
    match error:
        case stripe.CardError():
            ours: GatewayError = _declined(error, told, code)
        case stripe.AuthenticationError() | stripe.PermissionError():
            ours = NeedsOperator(code or "unauthorized", f"Stripe refuses the farm's key: {told}")
        case stripe.RateLimitError():
            wait = (error.headers or {}).get("Retry-After", "")
            ours = Transient("rate_limit", told, retry_after=int(wait) if wait.isdigit() else None)
        case stripe.InvalidRequestError():
            ours = Rejected(code or "invalid", told, param=error.param or "")
        case stripe.IdempotencyError() if error.http_status != CONFLICT:
            ours = Rejected("idempotency", told)
        case _:
            ours = AnswerLost(code or "no_answer", f"Stripe gave no sure answer: {told}")
    return ours


def _declined(error: stripe.CardError, told: str, code: str) -> Declined:
    more = error.error
    word = (more.decline_code if more else None) or code
    payment = more.payment_intent.id if more and more.payment_intent else ""
    if code in ASKED:
        return NeedsAuthentication("authentication_required", told, payment=payment)
    return Declined(word, told, payment=payment)
