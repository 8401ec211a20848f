"""What every request passes: the gate, the key, the version, the idempotency key; the envelope."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
from base64 import b64decode
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from farm.sandbox.faults import Answer, Passage
from farm.sandbox.faults_http import pass_gate
from farm.sandbox.stripe.calls import Call, Operation
from farm.sandbox.stripe.errors import ApiError
from farm.sandbox.stripe.form import Form, read_form
from farm.sandbox.stripe.house import Asked, House
from farm.sandbox.stripe.records import Answered
from farm.sandbox.stripe.render_papers import VERSION
from farm.sandbox.wire import JsonObject

REMEMBERED = timedelta(hours=24)
LONGEST_KEY = 255
MOST_FIELDS = 1000
KEPT_STATUSES = (200, 402, 500)
_VERSION = re.compile(r"20\d\d-\d\d-\d\d(\.[a-z]+)?")
TOLD = ("amount", "customer", "invoice", "mode", "payment_intent", "off_session")

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Shown = tuple[int, str, dict[str, str]]


def behind(house: House, operation: Operation) -> Handler:
    """The operation for whoever has the key, as a route of aiohttp."""

    async def handle(request: web.Request) -> web.StreamResponse:
        raw = (await request.read()).decode(errors="replace")
        number = f"req_{secrets.token_hex(7)}"

        async def answered(_: Passage) -> web.StreamResponse:
            return _dressed(number, _shown(house, request, raw, operation, number))

        return await pass_gate(
            house.gate,
            request,
            kind="stripe",
            detail=_detail(request, raw),
            handler=answered,
            refuse=lambda ordered: _refusal(number, ordered),
        )

    return handle


def _shown(
    house: House, request: web.Request, raw: str, operation: Operation, number: str
) -> Shown:
    """Status, body and further headers; the whole effect is on disk or none of it."""
    try:
        _admit(house, request)
        form = _form(request, raw)
        call = Call(house, form, request.match_info, request.path)
        key = request.headers.get("Idempotency-Key", "")
        if request.method != hdrs.METH_POST or not key:
            return _done(house, operation, call, Asked(number))
        return _once(house, operation, call, request, Asked(number, key))
    except ApiError as refusal:
        return refusal.status, json.dumps(refusal.envelope()), {}


def _once(
    house: House, operation: Operation, call: Call, request: web.Request, asked: Asked
) -> Shown:
    """The first answer to this key within a day, whatever is asked again."""
    if len(asked.key) > LONGEST_KEY:
        raise ApiError(400, "Idempotency-Key is too long: give 255 characters at most.")
    text = json.dumps([request.method, request.path, call.form.fields], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    known = _known(house, asked.key)
    if known is None:
        return _done(house, operation, call, asked, digest)
    if known.digest != digest:
        raise ApiError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were"
            f" first used with. Try using a key other than '{asked.key}' if you meant to execute"
            " a different request.",
            kind="idempotency_error",
        )
    replayed = {"Idempotent-Replayed": "true", "Original-Request": known.request}
    return known.status, known.body, replayed


def _known(house: House, key: str) -> Answered | None:
    since = house.books.clock.now() - REMEMBERED
    return next((one for one in house.books.answered if one.key == key and one.at > since), None)


def _done(house: House, operation: Operation, call: Call, asked: Asked, digest: str = "") -> Shown:
    """Effect, events and the remembered answer: together, so that a kill leaves no half."""
    with house.books.store.together():
        house.asked = asked
        try:
            status, body = 200, json.dumps(operation(call))
        except ApiError as refusal:
            status, body = refusal.status, json.dumps(refusal.envelope())
        except Exception:
            log.exception("%s failed.", call.url)
            status, body = 500, json.dumps(_stumbled().envelope())
        finally:
            house.asked = Asked()
        if digest and status in KEPT_STATUSES:
            books = house.books
            books.answered.put(
                Answered(
                    id=books.next_id(),
                    key=asked.key,
                    digest=digest,
                    at=books.clock.now(),
                    status=status,
                    body=body,
                    request=asked.request,
                )
            )
    return status, body, {}


def _stumbled() -> ApiError:
    return ApiError(500, "An unknown error occurred", kind="api_error")


def _admit(house: House, request: web.Request) -> None:
    given = _key_in(request.headers.get(hdrs.AUTHORIZATION, ""))
    if not given:
        raise ApiError(
            401,
            "You did not provide an API key. Provide it in the Authorization header, using Bearer"
            " auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    if not secrets.compare_digest(given.encode(), house.key.encode()):
        masked = f"{given[:8]}{'*' * 8}{given[-4:]}"
        raise ApiError(401, f"Invalid API Key provided: {masked}")
    version = request.headers.get("Stripe-Version", VERSION)
    if not _VERSION.fullmatch(version):
        raise ApiError(400, f"Invalid Stripe API version: {version}")


def _key_in(header: str) -> str:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(rest, validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


def _form(request: web.Request, raw: str) -> Form:
    text = raw if request.method == hdrs.METH_POST else request.rel_url.raw_query_string
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise ApiError(400, f"Too many fields: send {MOST_FIELDS} at most.") from None
    return read_form(pairs)


def nothing_here(house: House) -> Handler:
    """Every address that is none."""

    def unrecognized(call: Call) -> JsonObject:
        raise ApiError(404, f"Unrecognized request URL ({call.url}).")

    return behind(house, unrecognized)


def _dressed(number: str, shown: Shown) -> web.Response:
    status, body, headers = shown
    told = {"Request-Id": number, "Stripe-Version": VERSION, **headers}
    return web.Response(status=status, text=body, content_type="application/json", headers=told)


def _refusal(number: str, ordered: Answer) -> web.Response:
    """What a fault orders, in this API's envelope."""
    kind = "api_error" if ordered.status >= 500 else "invalid_request_error"
    refusal = ApiError(ordered.status, ordered.message, kind=kind, code=ordered.code)
    headers = {}
    if ordered.retry_after is not None:
        headers["Retry-After"] = str(int(ordered.retry_after))
    return _dressed(number, (ordered.status, json.dumps(refusal.envelope()), headers))


def _detail(request: web.Request, raw: str) -> str:
    """The request in words that a fault can match: "POST /v1/refunds amount=100"."""
    words = [f"{request.method} {request.path}"]
    try:
        fields = dict(parse_qsl(raw, max_num_fields=MOST_FIELDS))
    except ValueError:
        return words[0]
    words += [f"{word}={fields[word]}" for word in TOLD if word in fields]
    return " ".join(words)
