"""A wallet in words: what is set aside and why, how money is paid in, what was paid in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils.translation import gettext

from farm.agents.models import Agent
from farm.billing.amounts import at_most, cents
from farm.billing.customer_rows import Customer, Hold, TopUp
from farm.billing.standing import Standing, holds_of, top_ups_of
from farm.billing.statements import CURRENCY
from farm.billing.transfers import CENT
from farm.billing.vat_ids import status_of_vat_id
from farm.web.presenters.money_reach import Reach, Tone, agents_of_payer, reach_of
from farm.web.presenters.statements import euros

PICKS: Final = (10, 20, 50, 100)
"""Euros that are offered without typing."""
UNDER_WAY: Final = (TopUp.State.ASKED, TopUp.State.OPEN)


@dataclass(frozen=True, slots=True)
class HoldRow:
    """What is set aside for one agent: a day awake, and its sleep of 30 days."""

    uid: str
    name: str
    run: str
    grace: str
    total: str


@dataclass(frozen=True, slots=True)
class TopUpRow:
    """One top-up as it stands; `href` leads to its page while something is to be done there."""

    uid: str
    at: datetime
    amount: str
    tax: str
    state: str
    tone: Tone
    automatic: bool
    is_under_way: bool


@dataclass(frozen=True, slots=True)
class Pick:
    """An amount that one press pays in."""

    value: str
    spoken: str


@dataclass(frozen=True, slots=True)
class CardWords:
    """The card that is kept and what is charged to it by itself, each "" for none."""

    name: str
    automatic: str
    consent: str


@dataclass(frozen=True, slots=True)
class WalletWords:
    """All that a wallet's page says."""

    reach: Reach
    held: str
    free: str
    holds: tuple[HoldRow, ...]
    picks: tuple[Pick, ...]
    vat: str
    vat_status: str
    card: CardWords
    top_ups: tuple[TopUpRow, ...]


def wallet_words(standing: Standing) -> WalletWords:
    """Of a payer that pays in advance."""
    agents = agents_of_payer(standing.payer)
    return WalletWords(
        reach=reach_of(standing),
        held=at_most(standing.balance.held, CURRENCY),
        free=euros(standing.balance.available),
        holds=tuple(_hold(held, agents) for held in holds_of(standing.payer)),
        picks=tuple(Pick(f"{sum_}", euros(sum_ * 1_000_000)) for sum_ in PICKS),
        vat=vat_words(),
        vat_status=str(status_of_vat_id(standing.customer)) if standing.customer else "",
        card=card_words(standing.customer),
        top_ups=tuple(top_up_row(one) for one in top_ups_of(standing.payer)),
    )


def top_up_row(top_up: TopUp) -> TopUpRow:
    """One of the list."""
    tones = {TopUp.State.PAID: Tone.CALM, TopUp.State.FAILED: Tone.BAD}
    return TopUpRow(
        uid=top_up.uid,
        at=top_up.asked_at,
        amount=spelled(top_up.cents),
        tax=spelled(top_up.tax_cents) if top_up.tax_cents else "",
        state=str(TopUp.State(top_up.state).label),
        tone=tones.get(TopUp.State(top_up.state), Tone.WAITS),
        automatic=top_up.automatic,
        is_under_way=top_up.state in UNDER_WAY,
    )


def card_words(customer: Customer | None) -> CardWords:
    """What is kept, and the sentence with which somebody agrees to be charged while away."""
    automatic = customer.automatic_cents if customer else 0
    return CardWords(
        name=customer.card_name or gettext("a card") if customer and customer.card else "",
        automatic=spelled(automatic) if automatic else "",
        consent=_consent(),
    )


def vat_words() -> str:
    """What comes on top of the amount."""
    if settings.VAT_REGIME == "none":
        return gettext("No VAT is charged.")
    return gettext(
        "VAT comes on top: Stripe's page says how much, by your country, before you pay. The"
        " invoice for it is the only one; what agents use is taken from the net amount."
    )


def spelled(amount_in_cents: int) -> str:
    """Cents as people read them."""
    return cents(amount_in_cents * CENT, CURRENCY)


def _consent() -> str:
    vat = gettext(" and VAT") if settings.VAT_REGIME != "none" else ""
    text = gettext(
        "I agree that the kept card is charged this amount%(vat)s by itself whenever three days are"
        " left, without asking me each time. I can end that here at any time."
    )
    return text % {"vat": vat}


def _hold(held: Hold, agents: Mapping[str, Agent]) -> HoldRow:
    agent = agents.get(held.agent_uid)
    return HoldRow(
        uid=held.agent_uid,
        name=agent.name if agent else held.agent_uid,
        run=at_most(held.run_micros, CURRENCY),
        grace=at_most(held.grace_micros, CURRENCY),
        total=at_most(held.run_micros + held.grace_micros, CURRENCY),
    )
