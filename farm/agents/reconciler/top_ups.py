"""Top-ups on their way: a page that is over, a kept card charged once, what its bank said."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.utils import timezone

from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.stripe_waits import NO_KEY, OPERATOR_TAKES, after_trouble, wait
from farm.agents.reconciler.top_up_letters import write_that_it_failed
from farm.agents.reconciler.troubles import Nap
from farm.billing.automatic import UNDER_WAY, is_still_wanted, note_refused, wish_of
from farm.billing.customer_rows import TopUp
from farm.billing.customers import reference_of
from farm.billing.gateway_errors import Declined, GatewayError, Rejected
from farm.billing.learning import learn_found
from farm.billing.opening import gateway
from farm.billing.topups import PAGE_LASTS, learn_top_up

if TYPE_CHECKING:
    from farm.billing.gateway import Gateway

AT_ONCE: Final = timedelta(0)
LOOK: Final = timedelta(hours=1)
"""How often what waits for its payer is looked at."""
ANSWER_WITHIN: Final = timedelta(days=3)
"""So long a bank's question waits for its payer; then the card is charged anew when needed."""
QUESTION: Final = "authentication_required"


def under_way() -> Q:
    """Top-ups of which something is to come."""
    return Q(state__in=UNDER_WAY)


def drive_top_up(claim: Claim[TopUp]) -> Nap:
    """Look at its page, or take the next step of charging the card; None once it has ended."""
    house = gateway()
    if house is None:
        return wait(claim, OPERATOR_TAKES, NO_KEY)
    try:
        nap = _charge(claim, house) if claim.row.automatic else _look_at_page(claim, house)
    except GatewayError as error:
        return after_trouble(claim, error)
    claim.row.attempts = 0
    _say_no_trouble(claim)
    return nap


def _look_at_page(claim: Claim[TopUp], house: Gateway) -> Nap:
    """Its webhook and its payer's return were both lost, or nobody paid."""
    top_up, now = claim.row, timezone.now()
    if _has_ended(top_up, house):
        return None
    left = top_up.asked_at + PAGE_LASTS - now
    if left > AT_ONCE:
        return left
    if not top_up.checkout:
        _end(claim, TopUp.State.OVER)
        return None
    return LOOK


def _charge(claim: Claim[TopUp], house: Gateway) -> Nap:
    """One step: the invoice, the payment, or the end of one that came to nothing."""
    top_up = claim.row
    if top_up.state == TopUp.State.ASKED:
        return _write(claim, house)
    if _has_ended(top_up, house):
        return None
    if not is_still_wanted(top_up) or top_up.problem not in ("", QUESTION):
        return _give_up(claim, house)
    if top_up.problem:
        return _wait_for_answer(claim, house)
    return _collect(claim, house)


def _write(claim: Claim[TopUp], house: Gateway) -> Nap:
    """Its invoice, looked for first: asked again, however late, there is one."""
    top_up = claim.row
    reference_of(top_up.customer, house)
    try:
        paper = house.write_invoice(wish_of(top_up), f"topup:{top_up.uid}:invoice")
    except Rejected as error:
        _refused(claim, error)
        _end(claim, TopUp.State.FAILED)
        return None
    top_up.invoice, top_up.url, top_up.state = paper.id, paper.page, TopUp.State.OPEN
    with claim.recording():
        claim.save("invoice", "url", "state")
        learn_found(paper, timezone.now())
    return AT_ONCE


def _collect(claim: Claim[TopUp], house: Gateway) -> Nap:
    """Charge the card for it: Stripe lets nobody pay an invoice twice, whatever key is given."""
    top_up = claim.row
    try:
        house.collect(top_up.invoice, f"topup:{top_up.uid}:collect", top_up.card)
    except (Declined, Rejected) as error:
        if _has_ended(top_up, house):
            return None
        _refused(claim, error)
        return AT_ONCE
    return None if _has_ended(top_up, house) else LOOK


def _wait_for_answer(claim: Claim[TopUp], house: Gateway) -> Nap:
    """The bank wants to see its payer, who was told where."""
    if claim.row.asked_at + ANSWER_WITHIN > timezone.now():
        return LOOK
    return _give_up(claim, house)


def _give_up(claim: Claim[TopUp], house: Gateway) -> Nap:
    """Nobody is to pay this invoice any more; if somebody just has, it is paid."""
    top_up = claim.row
    try:
        house.void(top_up.invoice, f"topup:{top_up.uid}:void")
    except Rejected:
        return None if _has_ended(top_up, house) else LOOK
    return None if _has_ended(top_up, house) else LOOK


def _refused(claim: Claim[TopUp], error: GatewayError) -> None:
    """Told before it is written down: killed in between, its payer is told twice, never never."""
    note_refused(claim.row, error.code)
    write_that_it_failed(claim.row, asks=error.code == QUESTION)
    with claim.recording():
        claim.save("problem")


def _has_ended(top_up: TopUp, house: Gateway) -> bool:
    """Whether nothing is to come any more, by what Stripe says now."""
    learn_top_up(house, top_up, timezone.now())
    return top_up.state not in UNDER_WAY


def _end(claim: Claim[TopUp], state: TopUp.State) -> None:
    claim.row.state, claim.row.ended_at = state, timezone.now()
    with claim.recording():
        claim.save("state", "ended_at")


def _say_no_trouble(claim: Claim[TopUp]) -> None:
    if claim.row.trouble:
        claim.row.trouble = ""
        with claim.recording():
            claim.save("trouble")
