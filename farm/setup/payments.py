"""Stripe, where the operator lets people pay: whether it takes the key, and how VAT is meant."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from farm.accounts.refusals import Refused
from farm.billing.gateway_errors import GatewayError, Transient
from farm.billing.stripe_events import WANTED
from farm.setup.answers import keep, kept

LIVE = ("sk_live_", "rk_live_")
REGIMES = ("top_up", "none")
"""VAT on top of each top-up, or none at all; docs/decisions/0016-vat.md says what to ask whom."""


def keep_regime(word: str) -> None:
    """How VAT is meant from now on; "" for how it is meant so far."""
    regime = word or kept_regime()
    if regime not in REGIMES:
        sentence = _("Choose how VAT is meant; ask your tax adviser which is yours.")
        raise Refused("vat_regime", "no_regime", sentence)
    keep("VAT_REGIME", regime)


def kept_regime() -> str:
    """How VAT is meant so far."""
    return kept("VAT_REGIME") or REGIMES[0]


def take_payments(key: str, site: str) -> None:
    """Have Stripe send its webhooks to the site, and keep what settings need; Refused says why not.

    Whoever may make an endpoint there may do all that the farm does.
    """
    secret = _endpoint(key.strip(), f"https://{site}/stripe/webhook")
    keep("STRIPE_SECRET_KEY", key.strip())
    keep("STRIPE_WEBHOOK_SECRET", secret)


def _endpoint(key: str, url: str) -> str:
    """The secret of a new endpoint there."""
    # A vendor's SDK takes a good part of a second to load: only who brings a key waits.
    from farm.billing.gateway import connect  # noqa: PLC0415

    if not settings.STRIPE_API_BASE and not key.startswith(LIVE):
        sentence = _("This is no key of the live mode: people would pay with play money.")
        raise Refused("stripe_key", "no_live_key", sentence)
    try:
        return connect(key, "", settings.STRIPE_API_BASE).hear_at(url, WANTED)
    except Transient:
        sentence = _("Stripe does not answer at the moment: send this again in a minute.")
        raise Refused("stripe_key", "unreachable", sentence) from None
    except GatewayError:
        sentence = _(
            "Stripe refuses this key. Paste a secret key, or a restricted one that may write"
            " customers, checkout, payments, invoices, tax ids and webhook endpoints."
        )
        raise Refused("stripe_key", "refused", sentence) from None
