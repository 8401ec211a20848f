"""Hosted checkout in plain HTTP, invoices, credit notes and the portal."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
import stripe

from tests.sandbox.stripe.acting import (
    ASKS_ALWAYS,
    ASKS_ONCE,
    DECLINED,
    GOOD,
    POOR,
    answer_bank,
    checkout,
    customer,
    fill_in,
    led_on,
    with_card,
)
from tests.sandbox.stripe.stripe_at_work import StripeAtWork


def invoice(client: stripe.StripeClient, payer: str, *cents: int) -> stripe.Invoice:
    """A finalized one, an item for each amount."""
    draft = client.v1.invoices.create({"customer": payer, "automatic_tax": {"enabled": True}})
    for amount in cents:
        client.v1.invoice_items.create(
            {
                "customer": payer,
                "invoice": draft.id,
                "amount": amount,
                "currency": "eur",
                "description": f"Agent {amount}",
                "period": {"start": 1_790_000_000, "end": 1_792_000_000},
            }
        )
    return client.v1.invoices.finalize_invoice(draft.id)


def test_a_top_up_is_paid_with_vat_on_top(client: stripe.StripeClient) -> None:
    session = checkout(client, customer(client).id)
    shown = requests.get(str(session.url), timeout=30)
    assert "€24.00" in shown.text
    assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'")
    where = led_on(fill_in(session.url, GOOD))
    assert where == f"http://localhost/paid?session={session.id}"
    paid = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["invoice", "payment_intent.payment_method"]}
    )
    assert (paid.status, paid.payment_status, paid.amount_total) == ("complete", "paid", 2400)
    assert isinstance(paid.invoice, stripe.Invoice)
    assert (paid.invoice.status, paid.invoice.total, paid.invoice.subtotal) == ("paid", 2400, 2000)
    assert requests.get(str(paid.invoice.invoice_pdf), timeout=30).content.startswith(b"%PDF-1.4")
    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert isinstance(paid.payment_intent.payment_method, stripe.PaymentMethod)
    assert paid.payment_intent.payment_method.customer == paid.customer
    assert "complete" in requests.get(str(session.url), timeout=30).text
    lines = client.v1.checkout.sessions.line_items.list(session.id).data
    assert [line.amount_total for line in lines] == [2400]


def test_a_company_elsewhere_pays_no_vat(client: stripe.StripeClient) -> None:
    session = checkout(client, customer(client).id)
    fill_in(session.url, GOOD, "DE", "DE000000000")
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert paid.amount_total == 2000
    assert paid.customer_details
    assert paid.customer_details.address
    assert paid.customer_details.address.country == "DE"


@pytest.mark.parametrize(
    ("number", "said"),
    [(DECLINED, "declined"), (POOR, "insufficient funds"), ("1234", "invalid")],
)
def test_a_card_that_fails_can_be_followed_by_another(
    client: stripe.StripeClient, number: str, said: str
) -> None:
    session = checkout(client, customer(client).id)
    refused = fill_in(session.url, number)
    assert refused.status_code == 422
    assert said in refused.text
    assert number not in refused.text
    assert "Nadia" in refused.text
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    led_on(fill_in(session.url, GOOD))
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert len([one for one in client.v1.charges.list().data if one.paid]) == 1


def test_the_banks_page_decides(client: stripe.StripeClient) -> None:
    session = checkout(client, customer(client).id)
    question = fill_in(session.url, ASKS_ALWAYS)
    assert "3D Secure" in question.text
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    refused = answer_bank(question, approve=False)
    assert (refused.status_code, "failed authentication" in refused.text) == (422, True)
    led_on(answer_bank(fill_in(session.url, ASKS_ALWAYS), approve=True))
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_card_is_kept_without_a_payment(client: stripe.StripeClient) -> None:
    payer = customer(client)
    session = checkout(client, payer.id, mode="setup")
    led_on(answer_bank(fill_in(session.url, ASKS_ONCE), approve=True))
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert isinstance(done.setup_intent, stripe.SetupIntent)
    assert (done.status, done.setup_intent.status) == ("complete", "succeeded")
    assert len(client.v1.customers.payment_methods.list(payer.id).data) == 1
    assert client.v1.charges.list().data == []


def test_a_checkout_expires_by_the_sandboxs_clock(
    at_work: StripeAtWork, client: stripe.StripeClient
) -> None:
    session, other = (checkout(client, customer(client).id) for _ in range(2))
    at_work.pass_time(timedelta(hours=25))
    assert "expired" in requests.get(str(session.url), timeout=30).text
    assert fill_in(session.url, GOOD).status_code == 200
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert client.v1.checkout.sessions.retrieve(other.id).status == "expired"
    assert client.v1.charges.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(other.id)


def test_a_page_of_another_site_sends_nothing(client: stripe.StripeClient) -> None:
    session = checkout(client, customer(client).id)
    headers = {"Origin": "http://evil.example"}
    answer = requests.post(str(session.url), data={"number": GOOD}, headers=headers, timeout=30)
    assert answer.status_code == 403


def test_an_invoice_has_its_items_and_is_paid_off_session(client: stripe.StripeClient) -> None:
    payer, card = with_card(client)
    paper = invoice(client, payer, 1000, 333)
    assert (paper.status, paper.subtotal, paper.total) == ("open", 1333, 1333 + 200 + 67)
    assert [line.description for line in paper.lines.data] == ["Agent 1000", "Agent 333"]
    paid = client.v1.invoices.pay(paper.id, {"payment_method": card, "off_session": True})
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 1600, 0)
    told = client.v1.invoices.retrieve(paper.id, {"expand": ["payments"]})
    assert told.payments
    intent = str(told.payments.data[0].payment.payment_intent)
    assert client.v1.payment_intents.retrieve(intent).amount_received == 1600
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.invoices.pay(paper.id)
    assert again.value.code == "invoice_already_paid"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.update(paper.id, {"description": "other"})


def test_an_invoice_that_fails_stays_open_and_is_paid_at_its_page(
    client: stripe.StripeClient,
) -> None:
    payer, card = with_card(client, "pm_card_authenticationRequired")
    paper = invoice(client, payer, 1000)
    with pytest.raises(stripe.CardError) as refused:
        client.v1.invoices.pay(paper.id, {"payment_method": card})
    assert refused.value.code == "authentication_required"
    kept = client.v1.invoices.retrieve(paper.id)
    assert (kept.status, kept.attempt_count) == ("open", 1)
    with pytest.raises(stripe.CardError) as asked:
        client.v1.invoices.pay(paper.id, {"payment_method": card, "off_session": False})
    assert asked.value.code == "invoice_payment_intent_requires_action"
    page = str(kept.hosted_invoice_url)
    assert requests.post(page, data={"number": DECLINED}, timeout=30).status_code == 422
    question = requests.post(page, data={"number": ASKS_ALWAYS}, timeout=30)
    answer_bank(question, approve=True)
    assert client.v1.invoices.retrieve(paper.id).status == "paid"
    kinds = {event.type for event in client.v1.events.list({"limit": 100}).data}
    assert {"invoice.payment_failed", "invoice.payment_action_required"} <= kinds


def test_drafts_are_thrown_away_and_open_ones_voided(client: stripe.StripeClient) -> None:
    payer, _ = with_card(client)
    draft = client.v1.invoices.create({"customer": payer})
    client.v1.invoices.delete(draft.id)
    voided = client.v1.invoices.void_invoice(invoice(client, payer, 500).id)
    lost = client.v1.invoices.mark_uncollectible(invoice(client, payer, 500).id)
    sent = client.v1.invoices.send_invoice(invoice(client, payer, 500).id)
    assert (voided.status, lost.status, sent.status) == ("void", "uncollectible", "open")
    listed = client.v1.invoices.list({"customer": payer}).data
    assert [one.id for one in listed] == [sent.id, lost.id, voided.id]


def test_a_credit_note_refunds_what_was_paid_and_no_more(client: stripe.StripeClient) -> None:
    payer, card = with_card(client)
    paper = invoice(client, payer, 1000)
    client.v1.invoices.pay(paper.id, {"payment_method": card})
    note = client.v1.credit_notes.create(
        {"invoice": paper.id, "amount": 600, "refund_amount": 600, "reason": "order_change"}
    )
    assert (note.total, note.total_excluding_tax, note.number) == (
        600,
        500,
        f"{paper.number}-CN-01",
    )
    assert note.refunds[0].amount_refunded == 600
    assert client.v1.refunds.list().data[0].amount == 600
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.credit_notes.create({"invoice": paper.id, "amount": 601, "refund_amount": 601})
    unpaid = invoice(client, payer, 1000)
    client.v1.credit_notes.create({"invoice": unpaid.id, "amount": 1200})
    assert client.v1.invoices.retrieve(unpaid.id).status == "paid"


def test_the_portal_keeps_cards_and_vat_id_for_an_hour(
    at_work: StripeAtWork, client: stripe.StripeClient
) -> None:
    payer, card = with_card(client)
    opened = client.v1.billing_portal.sessions.create({"customer": payer})
    for sent in (
        {"do": "default", "method": card},
        {"do": "add", "number": "5555555555554444"},
        {"do": "vat", "vat_id": "FR00000000000"},
    ):
        assert requests.post(opened.url, data=sent, timeout=30).status_code == 200
    refused = requests.post(opened.url, data={"do": "add", "number": DECLINED}, timeout=30)
    assert refused.status_code == 422
    told = client.v1.customers.retrieve(payer)
    assert told.invoice_settings
    assert told.invoice_settings.default_payment_method == card
    assert len(client.v1.customers.payment_methods.list(payer).data) == 2
    assert len(client.v1.customers.tax_ids.list(payer).data) == 1
    requests.post(opened.url, data={"do": "remove", "method": card}, timeout=30)
    assert len(client.v1.customers.payment_methods.list(payer).data) == 1
    at_work.pass_time(timedelta(hours=2))
    assert requests.get(opened.url, timeout=30).status_code == 404
