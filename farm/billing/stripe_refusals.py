"""What services say when Stripe says no, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from farm.accounts.refusals import Refused
from farm.billing.gateway_errors import Declined, GatewayError, Transient
from farm.billing.opening import gateway

if TYPE_CHECKING:
    from farm.billing.gateway import Gateway

logger = logging.getLogger(__name__)


def demanded_gateway() -> Gateway:
    """The way to Stripe; Refused where this farm takes no money."""
    house = gateway()
    if house is None:
        sentence = _("This farm takes no payments: ask who runs it.")
        raise Refused("", "no_payments", sentence)
    return house


@contextmanager
def refusing(field: str = "") -> Iterator[None]:
    """Stripe's errors as Refused, each with what to do."""
    try:
        yield
    except Transient as error:
        logger.warning("Stripe did not answer: %s", error)
        sentence = _("Stripe does not answer at the moment. Try again in a minute.")
        raise Refused(field, "stripe_away", sentence) from None
    except Declined as declined:
        raise Refused(field, declined.code, declined.sentence) from None
    except GatewayError as error:
        logger.exception("Stripe refused what the farm asked.")
        sentence = _("Stripe did not take this, and nothing was charged. Tell who runs this farm.")
        raise Refused(field, error.code, sentence) from None
