"""What people see of the payment house: checkout, the bank's question, portal, invoices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape

from aiohttp import web

from farm.sandbox.callers import asked_by_address
from farm.sandbox.pages import page
from farm.sandbox.store import Table
from farm.sandbox.stripe.books import uid
from farm.sandbox.stripe.checkout import (
    Filled,
    Refusal,
    after_url,
    answer_bank,
    answer_bank_of_setup,
    due,
    fill_in,
    is_open,
)
from farm.sandbox.stripe.house import House
from farm.sandbox.stripe.portal import PortalPages
from farm.sandbox.stripe.records import Intent, IntentStatus, Session, Setup
from farm.sandbox.stripe.sums import rate_of
from farm.sandbox.stripe.tax import Reason
from farm.sandbox.stripe.widgets import card_fields, euros, onward

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pages:
    """Plain HTML without a script; whoever has an address may see it, as at the real house."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._books = house.books

    def add_routes(self, application: web.Application) -> None:
        """The pages and their forms."""
        for path, shown, sent in (
            ("/c/pay/{secret}", self._checkout, self._filled_in),
            ("/3ds/{secret}", self._question, self._answered),
        ):
            application.router.add_get(path, _own(shown))
            application.router.add_post(path, _own(sent))
        application.router.add_get("/c/pay/{secret}/done", _own(self._done))
        PortalPages(self._house).add_routes(application, _own)

    async def _checkout(self, request: web.Request) -> web.Response:
        return self._shown(_of(self._books.sessions, request), "", {})

    def _shown(self, session: Session, problem: str, typed: dict[str, str]) -> web.Response:
        if not is_open(self._house, session):
            told = "This checkout is complete." if session.status == "complete" else "It expired."
            return page(told, _back(session.cancel_url or session.success_url))
        known = self._books.customers.get(session.customer)
        first = {
            "email": session.email or (known.email if known else ""),
            "name": known.name if known else "",
            "country": known.address.country if known and known.address else "",
        }
        button = "Save card" if session.mode == "setup" else "Pay"
        fields = card_fields(first | typed, vat_id=session.collects_tax_id)
        body = (
            f"{self._bill(session)}"
            + (f'<p role="alert" class="card">{escape(problem)}</p>' if problem else "")
            + f'<form method="post">{fields}<button>{button}</button></form>'
            + _back(session.cancel_url)
        )
        return page("Checkout", body, status=422 if problem else 200)

    def _bill(self, session: Session) -> str:
        if session.mode == "setup":
            return '<p class="card">Nothing is charged now: the card is kept for later.</p>'
        sums, rate = due(self._books, session), rate_of(self._books, session)
        lines = "".join(
            f'<p class="card">{escape(line.description)} <strong>{euros(line.amount)}</strong></p>'
            for line in session.lines
        )
        if session.automatic_tax and rate is None:
            return f'{lines}<p class="quiet">VAT is added for your country.</p>'
        reverse = rate is not None and rate.reason is Reason.REVERSE_CHARGE
        why = "reverse charge" if reverse else f"{rate.percent} %" if rate else "none"
        total = f'<p>Total <strong id="total">{euros(sums.total)}</strong></p>'
        return f'{lines}<p class="quiet">VAT ({why}) {euros(sums.tax)}</p>{total}'

    async def _filled_in(self, request: web.Request) -> web.StreamResponse:
        session = _of(self._books.sessions, request)
        posted = await request.post()
        typed = {name: value.strip() for name, value in posted.items() if isinstance(value, str)}
        if not is_open(self._house, session):
            return self._shown(session, "", {})
        filled = Filled(
            number=typed.get("number", ""),
            email=session.email or typed.get("email", ""),
            name=typed.get("name", ""),
            country=typed.get("country", "").upper(),
            vat_id=typed.get("vat_id", ""),
        )
        try:
            with self._books.store.together():
                after = fill_in(self._house, session, filled)
        except Refusal as refusal:
            again = self._books.sessions[session.id]
            kept = {name: value for name, value in typed.items() if name != "number"}
            return self._shown(again, str(refusal), kept)
        raise web.HTTPSeeOther(self._next(after))

    def _next(self, session: Session) -> str:
        """The bank's page where it wants to see somebody, else the end."""
        for thing in (
            self._books.intents.get(session.intent),
            self._books.setups.get(session.setup),
        ):
            if thing and thing.status is IntentStatus.NEEDS_ACTION:
                return f"/3ds/{thing.secret}"
        return after_url(self._house, session)

    async def _done(self, request: web.Request) -> web.Response:
        """Leads on by a page of its own: a form's redirect may not leave this site."""
        session = _of(self._books.sessions, request)
        if session.status != "complete":
            return self._shown(session, "", {})
        number = uid(Session, session.id)
        return onward("Thank you.", session.success_url.replace("{CHECKOUT_SESSION_ID}", number))

    async def _question(self, request: web.Request) -> web.Response:
        asked = self._asked(request)
        if asked.status is not IntentStatus.NEEDS_ACTION:
            return page("Nothing waits for you here.", "")
        amount = f" of {euros(asked.amount)}" if isinstance(asked, Intent) else ""
        body = (
            f"<p>Your bank asks whether this payment{amount} is yours.</p>"
            '<form method="post"><button name="answer" value="approve">Complete</button>'
            '<button name="answer" value="fail">Fail</button></form>'
        )
        return page("3D Secure 2 Test Page", body)

    async def _answered(self, request: web.Request) -> web.StreamResponse:
        asked = self._asked(request)
        approved = (await request.post()).get("answer") == "approve"
        if asked.status is not IntentStatus.NEEDS_ACTION:
            return page("Nothing waits for you here.", "", status=409)
        try:
            with self._books.store.together():
                if isinstance(asked, Intent):
                    where = answer_bank(self._house, asked, approved=approved)
                else:
                    where = answer_bank_of_setup(self._house, asked, approved=approved)
        except Refusal as refusal:
            return self._shown(self._books.sessions[asked.session], str(refusal), {})
        if where.startswith(self._books.site):
            raise web.HTTPSeeOther(where.removeprefix(self._books.site))
        return onward("Your bank has told us.", where)

    def _asked(self, request: web.Request) -> Intent | Setup:
        wanted = request.match_info["secret"]
        for table in (self._books.intents, self._books.setups):
            found = next((one for one in table if one.secret == wanted), None)
            if found:
                return found
        raise web.HTTPNotFound(text="There is no such page.")


def _of(table: Table[Session], request: web.Request) -> Session:
    wanted = request.match_info["secret"]
    found = next((one for one in table if one.secret == wanted), None)
    if found is None:
        raise web.HTTPNotFound(text="There is no such page.")
    return found


def _back(url: str) -> str:
    return f'<p><a href="{escape(url)}" rel="noreferrer">Back</a></p>' if url else ""


def _own(handler: Handler) -> Handler:
    """Refuse forms that another site's page sends, and names that lead here from elsewhere."""

    async def admitted(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if not asked_by_address(request) or origin not in (None, f"http://{request.host}"):
            raise web.HTTPForbidden(text="Open this page itself and send the form from there.")
        return await handler(request)

    return admitted
