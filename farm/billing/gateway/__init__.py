"""The only door to Stripe: values of our own in and out, errors sorted by what to do about them.

Whatever moves money takes a `key` made of our own ids: asked again with it within a day, Stripe
answers what it answered first. After that, exactly-once is the caller's (look before asking again).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

import stripe

from farm.billing import gateway_reading as reading
from farm.billing import gateway_values as values
from farm.billing.gateway.finding import FETCHES
from farm.billing.gateway.hooks import Hooks
from farm.billing.gateway.invoices import Invoices
from farm.billing.gateway.line import GONE, plain, sorted_errors
from farm.billing.gateway.pages import Pages
from farm.billing.gateway.people import People
from farm.billing.gateway_errors import Forged, Rejected

TIMEOUTS: Final = (5.0, 20.0)
"""Seconds to connect, and for an answer."""
RETRIES: Final = 2
TOLERANCE: Final = 5 * 60
"""Seconds that a webhook's signature may be old."""

stripe.enable_telemetry = False


@dataclass(frozen=True)
class Gateway(People, Pages, Invoices, Hooks):
    """All that is asked of Stripe; `secret` signs its webhooks."""

    secret: str

    def find(self, kind: str, uid: str, owner: str = "") -> values.Found | None:
        """The thing as it is now; None if it is gone, or of a kind that nobody here knows."""
        fetch = FETCHES.get(kind)
        if fetch is None:
            return None
        try:
            with sorted_errors():
                return fetch(self.client, uid, owner)
        except Rejected as refusal:
            if refusal.code == GONE:
                return None
            raise

    def events(self, since: datetime, types: Sequence[str]) -> Iterator[values.Event]:
        """What happened from then on, the newest first; Stripe remembers thirty days."""
        with sorted_errors():
            found = self.client.v1.events.list(
                {"created": {"gte": int(since.timestamp())}, "types": list(types), "limit": 100}
            )
            for event in found.auto_paging_iter():
                yield reading.event_of(plain(event))

    def event_in(self, raw: bytes, signature: str) -> values.Event:
        """What a webhook tells; Forged unless Stripe signed exactly these bytes, just now."""
        try:
            event = self.client.construct_event(raw, signature, self.secret, TOLERANCE)
        except (stripe.SignatureVerificationError, ValueError, LookupError, AttributeError) as no:
            raise Forged("forged", f"A webhook cannot be believed: {type(no).__name__}.") from None
        return reading.event_of(plain(event))


@cache
def connect(key: str, secret: str, base: str, timeouts: tuple[float, float] = TIMEOUTS) -> Gateway:
    """A gateway with that secret key, to the API at `base`; "" is Stripe's own."""
    client = stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else {},
        max_network_retries=RETRIES,
        http_client=stripe.new_default_http_client(timeout=timeouts),
    )
    return Gateway(client, secret)
