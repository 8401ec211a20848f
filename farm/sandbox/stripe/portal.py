"""The portal, hosted invoices and papers: what a customer looks after without the farm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from html import escape

from aiohttp import web

from farm.sandbox.pages import page
from farm.sandbox.stripe.books import uid
from farm.sandbox.stripe.cards import CARDS
from farm.sandbox.stripe.errors import ApiError
from farm.sandbox.stripe.house import House
from farm.sandbox.stripe.invoicing import OPEN, pay
from farm.sandbox.stripe.payments import Owner, attach, detach, keep_card
from farm.sandbox.stripe.records import CreditNote, Customer, IntentStatus, Invoice, Method, Portal
from farm.sandbox.stripe.shown import CUSTOMERS
from farm.sandbox.stripe.sums import invoice_sums, items_of
from farm.sandbox.stripe.tax_ids import add_tax_id
from farm.sandbox.stripe.widgets import card_fields, euros, pdf

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OPEN_FOR = timedelta(hours=1)


class PortalPages:
    """Addresses nobody guesses stand for the right to see what is behind them."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._books = house.books

    def add_routes(self, application: web.Application, own: Callable[[Handler], Handler]) -> None:
        """The pages and their forms, each behind `own`."""
        router = application.router
        router.add_get("/p/session/{secret}", own(self._portal))
        router.add_post("/p/session/{secret}", own(self._change))
        router.add_get("/i/{secret}", own(self._invoice))
        router.add_post("/i/{secret}", own(self._pay))
        router.add_get("/i/{secret}/pdf", own(self._paper))
        router.add_get("/cn/{secret}/pdf", own(self._note))
        router.add_get("/receipts/{secret}", own(self._receipt))

    def _session(self, request: web.Request) -> Portal:
        wanted, now = request.match_info["secret"], self._books.now()
        for one in self._books.portals:
            if one.secret == wanted and now - one.created < OPEN_FOR:
                return one
        raise web.HTTPNotFound(text="This link has expired: open the portal anew.")

    async def _portal(self, request: web.Request) -> web.Response:
        return self._shown(self._session(request), "")

    def _shown(self, session: Portal, problem: str) -> web.Response:
        customer = self._books.customers[session.customer]
        back = f'<p><a href="{escape(session.return_url)}">Back</a></p>'
        numbers = ", ".join(
            one.value
            for one in self._books.tax_ids
            if one.customer == customer.id and one.deleted is None
        )
        body = (
            (f'<p role="alert" class="card">{escape(problem)}</p>' if problem else "")
            + f"<h2>Payment methods</h2>{self._cards(customer)}"
            + f'<form method="post">{card_fields({}, vat_id=False)}'
            + '<button name="do" value="add">Add a card</button></form>'
            + f"<h2>Billing</h2><p>VAT number: {escape(numbers) or 'none'}</p>"
            + '<form method="post"><input name="vat_id" placeholder="VAT number">'
            + '<button name="do" value="vat">Save</button></form>'
            + f"<h2>Invoices</h2>{self._invoices(customer)}{back if session.return_url else ''}"
        )
        return page(customer.name or customer.email, body, status=422 if problem else 200)

    def _cards(self, customer: Customer) -> str:
        shown = ""
        for one in self._books.methods:
            if one.customer == customer.id:
                number = uid(Method, one.id)
                default = " (default)" if customer.method == one.id else ""
                shown += (
                    f'<form method="post" class="card"><input type="hidden" name="method"'
                    f' value="{number}">{CARDS[one.number].brand} {one.number[-4:]}{default}'
                    '<button name="do" value="default">Make default</button>'
                    '<button name="do" value="remove">Remove</button></form>'
                )
        return shown or '<p class="quiet">None yet.</p>'

    def _invoices(self, customer: Customer) -> str:
        return "".join(
            f'<a class="card" href="/i/{one.secret}">{escape(one.number)} {one.status}'
            f" {euros(invoice_sums(self._books, one).total)}</a>"
            for one in self._books.invoices
            if one.customer == customer.id and one.finalized is not None
        )

    async def _change(self, request: web.Request) -> web.StreamResponse:
        session, posted = self._session(request), await request.post()
        typed = {name: value.strip() for name, value in posted.items() if isinstance(value, str)}
        try:
            with self._books.store.together():
                self._carry_out(self._books.customers[session.customer], typed)
        except ApiError as refusal:
            return self._shown(session, refusal.message)
        raise web.HTTPSeeOther(f"/p/session/{session.secret}")

    def _carry_out(self, customer: Customer, typed: dict[str, str]) -> None:
        wish = typed.get("do", "")
        mine = {
            uid(Method, one.id): one for one in self._books.methods if one.customer == customer.id
        }
        method = mine.get(typed.get("method", ""))
        if wish == "add":
            self._add_card(customer, typed)
        elif wish == "vat":
            add_tax_id(self._house, customer, "eu_vat", typed.get("vat_id", ""))
        elif wish == "default" and method:
            kept = self._books.customers.put(replace(customer, method=method.id))
            self._house.tell("customer.updated", CUSTOMERS, kept)
        elif wish == "remove" and method:
            detach(self._house, method)

    def _add_card(self, customer: Customer, typed: dict[str, str]) -> None:
        number = typed.get("number", "").replace(" ", "")
        if number not in CARDS:
            raise ApiError(402, "Your card number is invalid.")
        owner = Owner(typed.get("email", ""), typed.get("name", ""), typed.get("country", ""))
        method = attach(self._house, keep_card(self._house, number, owner), customer.id)
        if customer.method is None:
            self._books.customers.put(replace(customer, method=method.id))

    def _paper_of(self, request: web.Request) -> Invoice:
        wanted = request.match_info["secret"]
        for one in self._books.invoices:
            if one.secret == wanted and one.finalized is not None:
                return one
        raise web.HTTPNotFound(text="There is no such invoice.")

    async def _invoice(self, request: web.Request) -> web.Response:
        return self._shown_invoice(self._paper_of(request), "")

    def _shown_invoice(self, invoice: Invoice, problem: str) -> web.Response:
        rows = "".join(f"<p>{escape(line)}</p>" for line in self._lines(invoice))
        form = (
            f'<form method="post">{card_fields({"email": invoice.email}, vat_id=False)}'
            "<button>Pay</button></form>"
        )
        told = f'<p role="alert" class="card">{escape(problem)}</p>' if problem else ""
        body = (
            f'{told}<div class="card">{rows}</div>{form if invoice.status in OPEN else ""}'
            f'<p><a href="/i/{invoice.secret}/pdf">PDF</a></p>'
        )
        return page(f"Invoice {invoice.number}", body, status=422 if problem else 200)

    async def _pay(self, request: web.Request) -> web.StreamResponse:
        invoice, posted = self._paper_of(request), await request.post()
        number = str(posted.get("number", "")).replace(" ", "")
        if number not in CARDS:
            return self._shown_invoice(invoice, "Your card number is invalid.")
        try:
            with self._books.store.together():
                card = keep_card(self._house, number, Owner(email=invoice.email))
                after = pay(self._house, invoice, card, off_session=False)
        except ApiError as refusal:
            return self._shown_invoice(self._books.invoices[invoice.id], refusal.message)
        intent = self._books.intents.get(after.intent)
        if intent and intent.status is IntentStatus.NEEDS_ACTION:
            back = f"{self._books.site}/i/{invoice.secret}"
            self._books.intents.put(replace(intent, return_url=back))
            raise web.HTTPSeeOther(f"/3ds/{intent.secret}")
        raise web.HTTPSeeOther(f"/i/{invoice.secret}")

    def _lines(self, invoice: Invoice) -> list[str]:
        sums = invoice_sums(self._books, invoice)
        items = [
            f"{one.description}: {one.amount / 100:.2f} EUR"
            for one in items_of(self._books, invoice)
        ]
        return [
            f"{invoice.name or invoice.email} {' '.join(invoice.tax_ids)}".strip(),
            *items,
            f"VAT: {sums.tax / 100:.2f} EUR",
            f"Total: {sums.total / 100:.2f} EUR, {invoice.status}",
        ]

    async def _paper(self, request: web.Request) -> web.Response:
        invoice = self._paper_of(request)
        return pdf([f"Invoice {invoice.number}", *self._lines(invoice)])

    async def _note(self, request: web.Request) -> web.Response:
        notes: dict[str, CreditNote] = {one.secret: one for one in self._books.credit_notes}
        note = notes.get(request.match_info["secret"])
        if note is None:
            raise web.HTTPNotFound(text="There is no such credit note.")
        total = f"Total: {note.amount / 100:.2f} EUR, VAT {note.tax / 100:.2f} EUR"
        return pdf([f"Credit note {note.number}", note.description, total])

    async def _receipt(self, request: web.Request) -> web.Response:
        charges = {one.secret: one for one in self._books.charges}
        charge = charges.get(request.match_info["secret"])
        if charge is None:
            raise web.HTTPNotFound(text="There is no such receipt.")
        body = f"<p>{escape(charge.description)} <strong>{euros(charge.amount)}</strong></p>"
        return page("Receipt", body)
