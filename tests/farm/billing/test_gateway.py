"""The gateway over the wire: values of our own in and out, and every error in its sort."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from django.utils.translation import override

from farm.billing import gateway_values as values
from farm.billing.gateway import Gateway, connect
from farm.billing.gateway_errors import (
    AnswerLost,
    Declined,
    Forged,
    GatewayError,
    NeedsAuthentication,
    NeedsOperator,
    Rejected,
    Transient,
)
from tests.sandbox.stripe.acting import ASKS_ONCE, GOOD, answer_bank, fill_in, led_on
from tests.sandbox.stripe.stripe_at_work import (
    KEY,
    WEBHOOK_SECRET,
    StripeAtWork,
    inbox,
    stripe_at_work,
)

HASTY = (2.0, 0.6)
BACK = "http://localhost/money"


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[StripeAtWork]:
    """A payment house."""
    with stripe_at_work(tmp_path / "stripe") as started:
        yield started


@pytest.fixture
def gate(at_work: StripeAtWork) -> Gateway:
    """A gateway to it."""
    return connect(KEY, WEBHOOK_SECRET, at_work.endpoint)


def nadia(gate: Gateway, country: str = "FR") -> values.Customer:
    """A customer."""
    buyer = values.Buyer("nadia@example.com", "Nadia", country, {"payer": "p1"})
    return gate.make_customer(buyer, "customer:p1")


def top_up(gate: Gateway, customer: str, key: str = "topup:1") -> values.Checkout:
    """A checkout of twenty euros net."""
    wish = values.TopUp(
        customer, 2000, "Top-up", f"{BACK}?paid={{CHECKOUT_SESSION_ID}}", BACK, "fr", {"topup": "1"}
    )
    return gate.open_top_up(wish, key)


def with_card(gate: Gateway, kind: str = "pm_card_visa") -> tuple[str, str]:
    """A customer with a kept card."""
    customer = nadia(gate)
    kept = gate.client.v1.payment_methods.attach(kind, {"customer": customer.id})
    return customer.id, kept.id


def charge(gate: Gateway, customer: str, method: str, key: str = "auto:1") -> values.Payment:
    """An automatic top-up of twelve euros, without VAT."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    line = values.Line("topup", 1200, "Top-up", at, at)
    metadata = {"topup": key}
    wish = values.InvoiceWish(
        customer, [line], "Top-up", method=method, with_vat=False, metadata=metadata
    )
    paper = gate.write_invoice(wish, key)
    gate.collect(paper.id, f"{key}:pay")
    paid = gate.find("invoice", paper.id)
    assert isinstance(paid, values.Invoice)
    found = gate.find("payment_intent", paid.payment)
    assert isinstance(found, values.Payment)
    return found


def test_a_top_up_from_the_page_to_the_books(gate: Gateway) -> None:
    customer = nadia(gate)
    opened = top_up(gate, customer.id)
    assert (opened.status, opened.is_paid) == (values.CheckoutStatus.OPEN, False)
    assert led_on(fill_in(opened.url, GOOD)) == f"{BACK}?paid={opened.id}"
    paid = gate.find("checkout.session", opened.id)
    assert isinstance(paid, values.Checkout)
    assert (paid.is_paid, paid.net, paid.tax, paid.total) == (True, 2000, 400, 2400)
    assert paid.metadata == {"topup": "1"}
    payment = gate.find("payment_intent", paid.payment)
    assert isinstance(payment, values.Payment)
    assert (payment.succeeded, payment.cents, payment.currency) == (True, 2400, "EUR")
    assert payment.fee == 61
    paper = gate.find("invoice", paid.invoice)
    assert isinstance(paper, values.Invoice)
    assert (paper.status, paper.net, paper.tax, paper.paid) == ("paid", 2000, 400, 2400)
    assert paper.metadata == {"topup": "1"}
    (card,) = gate.cards(customer.id)
    assert (card.id, card.brand, card.last4) == (payment.method, "visa", "4242")


def test_a_card_is_kept_and_charged_while_nobody_looks(gate: Gateway) -> None:
    customer = nadia(gate)
    opened = gate.open_card_page(values.CardWish(customer.id, BACK, BACK), "card:1")
    led_on(answer_bank(fill_in(opened.url, ASKS_ONCE), approve=True))
    done = gate.find("checkout.session", opened.id)
    assert isinstance(done, values.Checkout)
    kept = gate.find("setup_intent", done.setup)
    assert isinstance(kept, values.Setup)
    assert (kept.status, kept.customer) == ("succeeded", customer.id)
    paid = charge(gate, customer.id, kept.method)
    assert (paid.succeeded, paid.fee) == (True, 43)
    assert charge(gate, customer.id, kept.method).id == paid.id
    assert gate.find("charge", paid.charge) == paid


def test_people_change_their_name_and_give_a_vat_id(gate: Gateway) -> None:
    customer = nadia(gate, "DE")
    changed = gate.change_customer(customer.id, values.Buyer("n@example.com", "N.", "DE"))
    assert (changed.email, changed.name, changed.country) == ("n@example.com", "N.", "DE")
    tax_id = gate.add_tax_id(customer.id, "DE000000000", "vat:1")
    assert gate.find("tax_id", tax_id.id, customer.id) == gate.tax_ids(customer.id)[0]
    assert gate.tax_ids(customer.id)[0].status == "verified"
    gate.remove_tax_id(customer.id, tax_id.id)
    gate.remove_tax_id(customer.id, tax_id.id)
    assert gate.tax_ids(customer.id) == []
    with pytest.raises(Rejected) as refused:
        gate.add_tax_id(customer.id, "nonsense", "vat:2")
    assert (refused.value.code, refused.value.param) == ("tax_id_invalid", "value")
    assert requests.get(gate.portal(customer.id, BACK), timeout=30).status_code == 200


def invoice(gate: Gateway, customer: str, days: int | None = None) -> values.Invoice:
    """The month of two agents."""
    begins = datetime(2026, 11, 1, tzinfo=UTC)
    lines = [
        values.Line(f"agent{n}", cents, f"Agent {n}", begins, begins + timedelta(days=30))
        for n, cents in ((1, 412), (2, 588))
    ]
    wish = values.InvoiceWish(customer, lines, "November", days=days, metadata={"month": "2026-11"})
    return gate.write_invoice(wish, "invoice:a1:2026-11")


def test_an_invoice_is_written_once_and_paid_once(at_work: StripeAtWork, gate: Gateway) -> None:
    customer, card = with_card(gate)
    gate.client.v1.customers.update(
        customer, {"invoice_settings": {"default_payment_method": card}}
    )
    at_work.order("/faults", {"name": "reset-after", "cloud": "stripe", "match": ["finalize"]})
    paper = invoice(gate, customer)
    assert invoice(gate, customer) == paper
    assert (paper.status, paper.net, paper.tax, paper.total) == ("open", 1000, 82 + 118, 1200)
    assert len(gate.client.v1.invoices.list().data) == 1
    paid = gate.collect(paper.id, "collect:1")
    assert (paid.status, paid.paid, paid.remaining) == ("paid", 1200, 0)
    assert gate.collect(paper.id, "collect:1") == paid
    note = gate.credit(values.CreditWish(paper.id, 600, "Half of it", is_paid=True), "credit:1")
    assert (note.total, note.net, bool(note.refund)) == (600, 500, True)
    assert gate.find("credit_note", note.id) == note
    back = gate.find("refund", note.refund)
    assert isinstance(back, values.Refund)
    assert (back.cents, back.status) == (600, "succeeded")


def test_an_invoice_to_be_paid_by_hand_is_sent(gate: Gateway) -> None:
    customer = nadia(gate)
    paper = invoice(gate, customer.id, days=14)
    sent = gate.send(paper.id, "send:1")
    assert (sent.status, sent.page.startswith("http")) == ("open", True)
    assert requests.get(sent.pdf, timeout=30).content.startswith(b"%PDF")


def test_a_dispute_tells_what_it_costs(at_work: StripeAtWork, gate: Gateway) -> None:
    paid = charge(gate, *with_card(gate))
    opened = at_work.order("/stripe/disputes", {"payment_intent": paid.id})
    found = gate.find("dispute", str(opened["id"]))
    assert isinstance(found, values.Dispute)
    assert (found.payment, found.status) == (paid.id, "needs_response")
    assert (found.cents, found.fee, found.taken) == (1200, 2000, 3200)
    after = gate.find("payment_intent", paid.id)
    assert isinstance(after, values.Payment)
    assert after.disputed


@pytest.mark.parametrize(
    ("kind", "sort", "code", "french"),
    [
        ("pm_card_chargeCustomerFail", Declined, "generic_decline", "Votre banque a refusé"),
        (
            "pm_card_authenticationRequired",
            NeedsAuthentication,
            "authentication_required",
            "Votre banque veut",
        ),
    ],
)
def test_a_bank_that_says_no_has_a_sentence_for_the_payer(
    gate: Gateway, kind: str, sort: type[Declined], code: str, french: str
) -> None:
    customer, card = with_card(gate, kind)
    with pytest.raises(Declined) as refused:
        charge(gate, customer, card)
    assert (type(refused.value), refused.value.code) == (sort, code)
    with override("fr"):
        assert str(refused.value.sentence).startswith(french)
    tried = gate.find("payment_intent", refused.value.payment)
    assert isinstance(tried, values.Payment)
    assert not tried.succeeded
    gate.client.v1.customers.update(
        customer, {"invoice_settings": {"default_payment_method": card}}
    )
    paper = invoice(gate, customer)
    with pytest.raises(sort):
        gate.collect(paper.id, "collect:1")
    again = gate.find("invoice", paper.id)
    assert isinstance(again, values.Invoice)
    assert again.status == "open"


@pytest.mark.parametrize(
    ("fault", "sort", "code"),
    [
        ("rate-limit", Transient, "rate_limit"),
        ("unauthorized", NeedsOperator, "unauthorized"),
        ("server-error", AnswerLost, "no_answer"),
        ("bad-gateway", AnswerLost, "no_answer"),
        ("reset-before", AnswerLost, "no_answer"),
        ("silence-after", AnswerLost, "no_answer"),
    ],
)
def test_what_goes_wrong_outside_is_sorted(
    at_work: StripeAtWork, gate: Gateway, fault: str, sort: type[GatewayError], code: str
) -> None:
    order = {"name": fault, "cloud": "stripe", "times": None, "seconds": 7}
    at_work.order("/faults", order)
    hasty = connect(KEY, WEBHOOK_SECRET, at_work.endpoint, HASTY)
    with pytest.raises(GatewayError) as felt:
        nadia(hasty if fault == "silence-after" else gate)
    assert (type(felt.value), felt.value.code) == (sort, code)
    if isinstance(felt.value, Transient) and fault == "rate-limit":
        assert felt.value.retry_after == 7
    requests.delete(f"{at_work.control}/faults", timeout=30)
    made = nadia(gate)
    assert [one.id for one in gate.client.v1.customers.list().data] == [made.id]


def test_one_key_is_for_one_wish(gate: Gateway) -> None:
    customer = nadia(gate)
    top_up(gate, customer.id)
    other = values.TopUp(customer.id, 5000, "Top-up", BACK, BACK)
    with pytest.raises(Rejected) as refused:
        gate.open_top_up(other, "topup:1")
    assert refused.value.code == "idempotency"


def test_what_is_gone_is_nothing(gate: Gateway) -> None:
    assert gate.find("invoice", "in_1S99999999") is None
    assert gate.find("no.such.kind", "x_1") is None
    customer = nadia(gate)
    assert gate.find("customer", customer.id) == customer
    gate.client.v1.customers.delete(customer.id)
    assert gate.find("customer", customer.id) is None


def test_events_are_told_from_a_moment_on(at_work: StripeAtWork, gate: Gateway) -> None:
    customer = nadia(gate)
    at_work.pass_time(timedelta(hours=2))
    charge(gate, *with_card_of(gate, customer))
    types = ["payment_intent.succeeded", "customer.created", "charge.succeeded"]
    since = at_work.clock.now() - timedelta(hours=1)
    told = list(gate.events(since, types))
    assert [(event.type, event.kind) for event in told] == [
        ("payment_intent.succeeded", "payment_intent"),
        ("charge.succeeded", "charge"),
    ]
    assert len(list(gate.events(since - timedelta(hours=2), types))) == 3


def with_card_of(gate: Gateway, customer: values.Customer) -> tuple[str, str]:
    """A kept card of this customer."""
    kept = gate.client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    return customer.id, kept.id


def test_a_webhook_is_believed_only_as_it_was_signed(at_work: StripeAtWork, gate: Gateway) -> None:
    with inbox() as box:
        at_work.order("/stripe/webhooks", {"url": box.url})
        customer = nadia(gate)
        deadline = time.monotonic() + 30
        while not box.taken:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        ((raw, signature),) = box.taken
    event = gate.event_in(raw, signature)
    assert (event.type, event.kind, event.subject) == (
        "customer.created",
        "customer",
        customer.id,
    )
    at, _, mac = signature.partition(",")
    old = f"t={int(at[2:]) - 301},{mac}"
    for body, header in (
        (raw + b" ", signature),
        (raw, old),
        (raw, ""),
        (raw, "nonsense"),
        (raw, f"{at},v1=00"),
        (b"\xff", signature),
    ):
        with pytest.raises(Forged):
            gate.event_in(body, header)
    other = connect(KEY, "whsec_other", at_work.endpoint)
    with pytest.raises(Forged):
        other.event_in(raw, signature)
