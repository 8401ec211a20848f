"""Cards, payments off-session, refunds, disputes and the account, asked for by the official SDK."""

from __future__ import annotations

import pytest
import requests
import stripe

from tests.sandbox.stripe.acting import answer_bank, customer, with_card
from tests.sandbox.stripe.stripe_at_work import StripeAtWork


def pay(
    client: stripe.StripeClient, payer: str, card: str, cents: int = 1000
) -> stripe.PaymentIntent:
    """An off-session payment, as an automatic top-up makes one."""
    return client.v1.payment_intents.create(
        {
            "amount": cents,
            "currency": "eur",
            "customer": payer,
            "payment_method": card,
            "off_session": True,
            "confirm": True,
        }
    )


def test_a_payment_and_what_the_house_keeps_of_it(client: stripe.StripeClient) -> None:
    paid = pay(client, *with_card(client), 2000)
    assert (paid.status, paid.amount_received) == ("succeeded", 2000)
    told = client.v1.payment_intents.retrieve(
        paid.id, {"expand": ["latest_charge.balance_transaction", "customer"]}
    )
    charge = told.latest_charge
    assert isinstance(charge, stripe.Charge)
    line = charge.balance_transaction
    assert isinstance(line, stripe.BalanceTransaction)
    assert (line.amount, line.fee, line.net) == (2000, 55, 1945)
    assert client.v1.balance.retrieve().available[0].amount == 1945


@pytest.mark.parametrize(
    ("token", "code", "decline_code"),
    [
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
    ],
)
def test_a_card_that_fails_says_why(
    client: stripe.StripeClient, token: str, code: str, decline_code: str
) -> None:
    payer, card = with_card(client, token)
    with pytest.raises(stripe.CardError) as refused:
        pay(client, payer, card)
    error = refused.value.error
    assert error
    assert (refused.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
    assert error.payment_intent
    kept = client.v1.payment_intents.retrieve(error.payment_intent.id)
    assert kept.status == "requires_payment_method"
    assert kept.last_payment_error
    assert kept.last_payment_error.code == code
    assert client.v1.charges.list({"payment_intent": kept.id}).data[0].status == "failed"
    assert client.v1.balance.retrieve().available[0].amount == 0


@pytest.mark.parametrize("approve", [True, False])
def test_the_bank_asks_and_the_payment_goes_on(client: stripe.StripeClient, approve: bool) -> None:  # noqa: FBT001
    payer, card = with_card(client, "pm_card_authenticationRequired")
    waiting = client.v1.payment_intents.create(
        {
            "amount": 900,
            "currency": "eur",
            "customer": payer,
            "payment_method": card,
            "confirm": True,
            "return_url": "http://localhost/back",
        }
    )
    assert waiting.status == "requires_action"
    assert waiting.next_action
    assert waiting.next_action.redirect_to_url
    question = requests.get(str(waiting.next_action.redirect_to_url.url), timeout=30)
    said = answer_bank(question, approve=approve)
    assert "http://localhost/back" in said.text
    after = client.v1.payment_intents.retrieve(waiting.id)
    assert after.status == ("succeeded" if approve else "requires_payment_method")
    assert answer_bank(question, approve=True).status_code == 409


def test_a_card_proven_once_is_charged_without_asking(client: stripe.StripeClient) -> None:
    payer = customer(client)
    kept = client.v1.setup_intents.create(
        {
            "customer": payer.id,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "confirm": True,
        }
    )
    assert kept.status == "requires_action"
    assert kept.next_action
    assert kept.next_action.redirect_to_url
    answer_bank(requests.get(str(kept.next_action.redirect_to_url.url), timeout=30), approve=True)
    kept = client.v1.setup_intents.retrieve(kept.id)
    assert kept.status == "succeeded"
    (card,) = client.v1.customers.payment_methods.list(payer.id).data
    assert pay(client, payer.id, card.id).status == "succeeded"
    client.v1.payment_methods.detach(card.id)
    assert client.v1.payment_methods.list({"customer": payer.id}).data == []


def test_a_refund_goes_back_in_parts_and_no_further(client: stripe.StripeClient) -> None:
    paid = pay(client, *with_card(client))
    first = client.v1.refunds.create({"payment_intent": paid.id, "amount": 400})
    client.v1.refunds.create({"payment_intent": paid.id})
    charge = client.v1.charges.list({"payment_intent": paid.id}).data[0]
    assert (charge.amount_refunded, charge.refunded, first.charge) == (1000, True, charge.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"
    assert client.v1.balance.retrieve().available[0].amount == -40
    assert len(client.v1.refunds.list({"charge": charge.id}).data) == 2


@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_takes_money_and_fee_until_it_is_won(
    at_work: StripeAtWork,
    client: stripe.StripeClient,
    won: bool,  # noqa: FBT001
) -> None:
    paid = pay(client, *with_card(client))
    opened = at_work.order("/stripe/disputes", {"payment_intent": paid.id, "reason": "fraudulent"})
    assert client.v1.balance.retrieve().available[0].amount == 960 - 3000
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_disputed"
    at_work.order("/stripe/disputes/close", {"dispute": opened["id"], "won": won})
    told = client.v1.disputes.retrieve(str(opened["id"]))
    assert told.status == ("won" if won else "lost")
    left = client.v1.balance.retrieve().available[0].amount
    assert left == (960 - 2000 if won else 960 - 3000)
    books = at_work.read("/stripe/books")
    assert books["balance"] == left


def test_lists_are_paged_from_the_newest(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"name": str(number)}).id for number in range(5)]
    first = client.v1.customers.list({"limit": 2})
    assert [one.id for one in first.data] == made[:-3:-1]
    assert first.has_more
    rest = client.v1.customers.list({"limit": 10, "starting_after": first.data[-1].id})
    assert [one.id for one in rest.data] == made[2::-1]
    assert not rest.has_more
    assert [one.id for one in first.auto_paging_iter()] == made[::-1]
    before = client.v1.customers.list({"limit": 2, "ending_before": made[0]})
    assert [one.id for one in before.data] == [made[2], made[1]]


def test_the_api_refuses_as_the_real_one_does(
    at_work: StripeAtWork, client: stripe.StripeClient
) -> None:
    with pytest.raises(stripe.AuthenticationError):
        at_work.client("sk_test_wrong").v1.customers.list()
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.payment_intents.create({"currency": "eur"})  # type: ignore[typeddict-item]
    assert (missing.value.param, missing.value.code) == ("amount", "parameter_missing")
    with pytest.raises(stripe.InvalidRequestError) as nobody:
        client.v1.customers.retrieve("cus_nobody")
    assert (nobody.value.http_status, nobody.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as strange:
        client.v1.customers.create({"colour": "red"})  # type: ignore[arg-type]
    assert strange.value.code == "parameter_unknown"
    gone = customer(client)
    client.v1.customers.delete(gone.id)
    assert client.v1.customers.retrieve(gone.id).deleted is True
    answer = requests.get(f"{at_work.endpoint}/v1/customers", timeout=30)
    assert (answer.status_code, answer.headers["Request-Id"][:4]) == (401, "req_")
    assert answer.headers["Stripe-Version"] == stripe.api_version


@pytest.mark.parametrize(
    ("country", "vat_id", "tax", "reason"),
    [
        ("FR", "", 2000, "standard_rated"),
        ("FR", "FR00000000000", 2000, "standard_rated"),
        ("DE", "", 1900, "standard_rated"),
        ("DE", "DE000000000", 0, "reverse_charge"),
        ("DE", "DE111111111", 1900, "standard_rated"),
        ("US", "", 0, "not_subject_to_tax"),
    ],
)
def test_vat_is_that_of_the_buyers_country(
    client: stripe.StripeClient, country: str, vat_id: str, tax: int, reason: str
) -> None:
    buyer = customer(client, country, vat_id)
    told = client.v1.tax.calculations.create(
        {
            "currency": "eur",
            "customer": buyer.id,
            "line_items": [{"amount": 10_000, "reference": "Top-up"}],
        }
    )
    assert (told.tax_amount_exclusive, told.amount_total) == (tax, 10_000 + tax)
    assert told.tax_breakdown[0].taxability_reason == reason


def test_vat_ids_are_looked_up_and_nonsense_is_refused(client: stripe.StripeClient) -> None:
    buyer = customer(client, "DE", "DE111111111")
    client.v1.customers.tax_ids.create(buyer.id, {"type": "eu_vat", "value": "DE000000000"})
    newest, oldest = client.v1.customers.tax_ids.list(buyer.id).data
    assert newest.verification
    assert oldest.verification
    assert (newest.verification.status, oldest.verification.status) == ("verified", "unverified")
    client.v1.customers.tax_ids.delete(buyer.id, newest.id)
    assert len(client.v1.customers.tax_ids.list(buyer.id).data) == 1
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.tax_ids.create(buyer.id, {"type": "eu_vat", "value": "nonsense"})
    assert refused.value.code == "tax_id_invalid"
