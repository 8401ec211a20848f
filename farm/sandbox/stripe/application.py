"""Stripe's API and hosted pages as one aiohttp application: which path leads where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from farm.sandbox.stripe import api_checkout, api_invoices, api_payments, api_people, api_rest
from farm.sandbox.stripe.calls import Operation
from farm.sandbox.stripe.door import behind, nothing_here
from farm.sandbox.stripe.house import House
from farm.sandbox.stripe.pages import Pages
from farm.sandbox.stripe.webhooks import Courier

MAX_BODY = 256 * 1024

PEOPLE: Mapping[tuple[str, str], Operation] = {
    ("POST", "/customers"): api_people.create_customer,
    ("GET", "/customers"): api_people.list_customers,
    ("GET", "/customers/{id}"): api_people.get_customer,
    ("POST", "/customers/{id}"): api_people.update_customer,
    ("DELETE", "/customers/{id}"): api_people.delete_customer,
    ("GET", "/customers/{id}/payment_methods"): api_people.list_methods_of,
    ("POST", "/customers/{id}/tax_ids"): api_people.create_tax_id,
    ("GET", "/customers/{id}/tax_ids"): api_people.list_tax_ids,
    ("GET", "/customers/{id}/tax_ids/{tax_id}"): api_people.get_tax_id,
    ("DELETE", "/customers/{id}/tax_ids/{tax_id}"): api_people.delete_tax_id,
    ("POST", "/payment_methods"): api_people.create_method,
    ("GET", "/payment_methods"): api_people.list_methods,
    ("GET", "/payment_methods/{id}"): api_people.get_method,
    ("POST", "/payment_methods/{id}/attach"): api_people.attach_method,
    ("POST", "/payment_methods/{id}/detach"): api_people.detach_method,
    ("POST", "/billing_portal/sessions"): api_people.create_portal,
}
PAYMENTS: Mapping[tuple[str, str], Operation] = {
    ("POST", "/payment_intents"): api_payments.create_intent,
    ("GET", "/payment_intents"): api_payments.list_intents,
    ("GET", "/payment_intents/{id}"): api_payments.get_intent,
    ("POST", "/payment_intents/{id}/confirm"): api_payments.confirm_intent,
    ("POST", "/payment_intents/{id}/cancel"): api_payments.cancel_intent,
    ("POST", "/setup_intents"): api_payments.create_setup,
    ("GET", "/setup_intents/{id}"): api_payments.get_setup,
    ("POST", "/setup_intents/{id}/confirm"): api_payments.confirm_one_setup,
    ("GET", "/charges"): api_payments.list_charges,
    ("GET", "/charges/{id}"): api_payments.get_charge,
    ("POST", "/refunds"): api_payments.create_refund,
    ("GET", "/refunds"): api_payments.list_refunds,
    ("GET", "/refunds/{id}"): api_payments.get_refund,
    ("GET", "/disputes"): api_payments.list_disputes,
    ("GET", "/disputes/{id}"): api_payments.get_dispute,
    ("POST", "/disputes/{id}/close"): api_payments.lose_dispute,
    ("GET", "/balance"): api_payments.get_balance,
    ("GET", "/balance_transactions"): api_payments.list_transactions,
    ("GET", "/balance_transactions/{id}"): api_payments.get_transaction,
}
PAPERS: Mapping[tuple[str, str], Operation] = {
    ("POST", "/checkout/sessions"): api_checkout.create_session,
    ("GET", "/checkout/sessions"): api_checkout.list_sessions,
    ("GET", "/checkout/sessions/{id}"): api_checkout.get_session,
    ("GET", "/checkout/sessions/{id}/line_items"): api_checkout.list_session_lines,
    ("POST", "/checkout/sessions/{id}/expire"): api_checkout.expire_session,
    ("POST", "/invoiceitems"): api_invoices.create_item,
    ("GET", "/invoiceitems"): api_invoices.list_items,
    ("GET", "/invoiceitems/{id}"): api_invoices.get_item,
    ("DELETE", "/invoiceitems/{id}"): api_invoices.delete_item,
    ("POST", "/invoices"): api_invoices.create_invoice,
    ("GET", "/invoices"): api_invoices.list_invoices,
    ("GET", "/invoices/{id}"): api_invoices.get_invoice,
    ("POST", "/invoices/{id}"): api_invoices.update_invoice,
    ("DELETE", "/invoices/{id}"): api_invoices.delete_invoice,
    ("GET", "/invoices/{id}/lines"): api_invoices.list_invoice_lines,
    ("POST", "/invoices/{id}/finalize"): api_invoices.finalize_invoice,
    ("POST", "/invoices/{id}/pay"): api_invoices.pay_invoice,
    ("POST", "/invoices/{id}/void"): api_invoices.void_invoice,
    ("POST", "/invoices/{id}/mark_uncollectible"): api_invoices.give_up_invoice,
    ("POST", "/invoices/{id}/send"): api_invoices.send_invoice,
    ("GET", "/invoice_payments"): api_invoices.list_invoice_payments,
    ("POST", "/credit_notes"): api_invoices.create_credit_note,
    ("GET", "/credit_notes"): api_invoices.list_credit_notes,
    ("GET", "/credit_notes/{id}"): api_invoices.get_credit_note,
}
REST: Mapping[tuple[str, str], Operation] = {
    ("GET", "/events"): api_rest.list_events,
    ("GET", "/events/{id}"): api_rest.get_event,
    ("POST", "/webhook_endpoints"): api_rest.create_endpoint,
    ("GET", "/webhook_endpoints"): api_rest.list_endpoints,
    ("DELETE", "/webhook_endpoints/{id}"): api_rest.delete_endpoint,
    ("POST", "/tax/calculations"): api_rest.calculate_tax,
}


def stripe_application(house: House) -> web.Application:
    """The API of `house` under /v1, its pages beside, and the courier of its webhooks."""
    application = web.Application(client_max_size=MAX_BODY)
    for (method, path), operation in {**PEOPLE, **PAYMENTS, **PAPERS, **REST}.items():
        application.router.add_route(method, f"/v1{path}", behind(house, operation))
    application.router.add_route("*", "/v1/{rest:.*}", nothing_here(house))
    Pages(house).add_routes(application)

    async def courier(_: web.Application) -> AsyncIterator[None]:
        async with Courier(house).running():
            yield

    application.cleanup_ctx.append(courier)
    return application
