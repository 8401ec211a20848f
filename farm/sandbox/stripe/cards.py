"""Stripe's test cards: what each does when it is saved, charged, or charged while nobody looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Challenge(StrEnum):
    """When the bank wants to see the card's owner (3-D Secure)."""

    NEVER = "never"
    UNLESS_SAVED = "unless_saved"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Card:
    """One test card. `decline` is why charges fail, `saves` whether it can be kept all the same."""

    number: str
    brand: str = "visa"
    country: str = "FR"
    challenge: Challenge = Challenge.NEVER
    decline: str = ""
    saves: bool = False
    disputed: bool = False

    @property
    def last4(self) -> str:
        """What a receipt shows of it."""
        return self.number[-4:]


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a payment failed, in the API's words; `decline_code` is the bank's."""

    code: str
    decline_code: str
    message: str


DECLINES: Mapping[str, Decline] = {
    one.decline_code: one
    for one in (
        Decline("card_declined", "generic_decline", "Your card was declined."),
        Decline("card_declined", "insufficient_funds", "Your card has insufficient funds."),
        Decline("card_declined", "lost_card", "Your card was declined."),
        Decline("expired_card", "expired_card", "Your card has expired."),
        Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
        Decline(
            "processing_error",
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        Decline(
            "authentication_required",
            "authentication_required",
            "Your card was declined. This transaction requires authentication.",
        ),
    )
}
ASKED = Decline(
    "invoice_payment_intent_requires_action",
    "",
    "Payment for this invoice requires additional user action before it can be completed"
    " successfully. Payment can be completed using the PaymentIntent associated with the invoice.",
)
UNPROVEN = Decline(
    "payment_intent_authentication_failure",
    "",
    "The provided PaymentMethod has failed authentication. You can provide a new PaymentMethod"
    " to attempt to fulfill this PaymentIntent again.",
)
NO_CARD = Decline(
    "card_declined", "test_mode_live_card", "Your card was declined. It is none of the test cards."
)

CARDS: Mapping[str, Card] = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("5555555555554444", brand="mastercard"),
        Card("4000002500003155", challenge=Challenge.UNLESS_SAVED),
        Card("4000002760003184", challenge=Challenge.ALWAYS),
        Card("4000008260003178", challenge=Challenge.ALWAYS, decline="insufficient_funds"),
        Card("4000000000000002", decline="generic_decline"),
        Card("4000000000009995", decline="insufficient_funds"),
        Card("4000000000009987", decline="lost_card"),
        Card("4000000000000069", decline="expired_card"),
        Card("4000000000000127", decline="incorrect_cvc"),
        Card("4000000000000119", decline="processing_error"),
        Card("4000000000000341", decline="generic_decline", saves=True),
        Card("4000000000000259", disputed=True),
    )
}
TOKENS: Mapping[str, str] = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_createDispute": "4000000000000259",
}
"""Cards by the names that stand for them, so that no number passes a farm."""
