"""What goes wrong at clouds, at Stripe and on machines, by name: each as it is worded there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from farm.sandbox.faults import ActionFault, Answer, Fault, When
from farm.sandbox.wire import JsonObject


class Cloud(StrEnum):
    """Where it happens: at a cloud, or at the payment house."""

    HETZNER = "hetzner"
    SCALEWAY = "scaleway"
    STRIPE = "stripe"


class FaultName(StrEnum):
    """Every fault that has a name."""

    RATE_LIMIT = "rate-limit"
    SOLD_OUT = "sold-out"
    QUOTA = "quota"
    UNAUTHORIZED = "unauthorized"
    SERVER_ERROR = "server-error"
    SERVER_ERROR_AFTER = "server-error-after"
    BAD_GATEWAY = "bad-gateway"
    BAD_GATEWAY_AFTER = "bad-gateway-after"
    RESET_BEFORE = "reset-before"
    RESET_AFTER = "reset-after"
    SILENCE = "silence"
    SILENCE_AFTER = "silence-after"
    ACTION_FAILS = "action-fails"
    BOOT_HANGS = "boot-hangs"
    VANISH = "vanish"
    SSH_DIES = "ssh-dies"
    HOST_KEY_CHANGES = "host-key-changes"
    WEBHOOK_LATE = "webhook-late"
    WEBHOOK_TWICE = "webhook-twice"
    WEBHOOK_LOST = "webhook-lost"


SENTENCES: Mapping[FaultName, str] = {
    FaultName.RATE_LIMIT: "429; the reset is --seconds away",
    FaultName.SOLD_OUT: "an order is refused: no such --type at that --place",
    FaultName.QUOTA: "an order is refused: the account may have no more servers",
    FaultName.UNAUTHORIZED: "401: the token is not known any more",
    FaultName.SERVER_ERROR: "500 with the cloud's own JSON, before the effect",
    FaultName.SERVER_ERROR_AFTER: "the same after the effect",
    FaultName.BAD_GATEWAY: "502 with a page of HTML, before the effect",
    FaultName.BAD_GATEWAY_AFTER: "the same after the effect",
    FaultName.RESET_BEFORE: "the connection is reset before the effect",
    FaultName.RESET_AFTER: "the connection is reset after the effect",
    FaultName.SILENCE: "no answer ever comes, and no effect",
    FaultName.SILENCE_AFTER: "no answer ever comes, though there was an effect",
    FaultName.ACTION_FAILS: "an order is taken, and fails --seconds later",
    FaultName.BOOT_HANGS: "a simulated machine hangs while it boots",
    FaultName.VANISH: "a server vanishes, as if deleted in the console",
    FaultName.SSH_DIES: "SSH to a simulated machine dies in mid-command",
    FaultName.HOST_KEY_CHANGES: "a simulated machine shows another host key",
    FaultName.WEBHOOK_LATE: "a webhook of Stripe's comes --seconds later than others after it",
    FaultName.WEBHOOK_TWICE: "a webhook arrives, its answer does not: it is sent again",
    FaultName.WEBHOOK_LOST: "a webhook is never sent",
}
AT_CLOUDS_ALONE = (FaultName.SOLD_OUT, FaultName.QUOTA, FaultName.ACTION_FAILS, FaultName.VANISH)
"""What has no meaning where no machines are sold."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A named fault, narrowed: a server type, a place, a part of a server's name, other words.

    `server_type` and `place` narrow orders of servers, `server` what happens to one of them (for
    SSH a part of its address). With `times` None it goes on until it is cleared; `seconds` is the
    reset's or the failure's.
    """

    name: FaultName
    cloud: Cloud = Cloud.HETZNER
    server_type: str = ""
    place: str = ""
    server: str = ""
    match: tuple[str, ...] = field(default=())
    call: int = 1
    times: int | None = 1
    seconds: float = 0.0


def fault_of(wish: Wish) -> Fault:
    """The fault that the wish means, as it is worded there; ValueError where it cannot happen."""
    if wish.cloud is Cloud.STRIPE and wish.name in AT_CLOUDS_ALONE:
        raise ValueError(f"Stripe sells no machines: {wish.name} happens at a cloud.")
    made = MAKERS[wish.name](wish)
    narrowed = (*made.match, *wish.match)
    return replace(made, match=narrowed, call=wish.call, times=wish.times)


def _orders(wish: Wish) -> tuple[str, ...]:
    """Words that an order of such a server has in its detail."""
    if wish.cloud is Cloud.HETZNER:
        told = {"server_type": wish.server_type, "location": wish.place, "name": wish.server}
        return ("POST /servers", *(f"{word}={said}" for word, said in told.items() if said))
    zone = f"/zones/{wish.place}/servers" if wish.place else "/servers name="
    words = ("POST", "/servers name=", zone)
    kinds = (f"commercial_type={wish.server_type}",) if wish.server_type else ()
    return (*words, *kinds, *((f"name={wish.server}",) if wish.server else ()))


def _answer(wish: Wish, hetzner: Answer, scaleway: Answer, stripe: Answer | None = None) -> Answer:
    if wish.cloud is Cloud.STRIPE and stripe:
        return stripe
    return hetzner if wish.cloud is Cloud.HETZNER else scaleway


def _rate_limit(wish: Wish) -> Fault:
    answer = _answer(
        wish,
        Answer(429, "rate_limit_exceeded", "limit of 3600 requests per hour reached"),
        Answer(429, "too_many_requests", "too many requests"),
        Answer(429, "rate_limit", "Request rate limit exceeded."),
    )
    return Fault(kind=wish.cloud, answer=replace(answer, retry_after=wish.seconds or 30))


def _sold_out(wish: Wish) -> Fault:
    answer = _answer(
        wish,
        Answer(412, "resource_unavailable", "error during placement"),
        Answer(
            412, "out_of_stock", "resource is out of stock", details={"resource": wish.server_type}
        ),
    )
    return Fault(kind=wish.cloud, match=_orders(wish), answer=answer)


def _quota(wish: Wish) -> Fault:
    limit: JsonObject = {"resource": "servers", "quota": 1, "current": 1}
    answer = _answer(
        wish,
        Answer(
            403,
            "resource_limit_exceeded",
            "server limit exceeded",
            details={"limits": [{"name": "server_limit"}]},
        ),
        Answer(403, "quotas_exceeded", "quota(s) exceeded", details={"details": [limit]}),
    )
    return Fault(kind=wish.cloud, match=_orders(wish), answer=answer)


def _unauthorized(wish: Wish) -> Fault:
    answer = _answer(
        wish,
        Answer(401, "unauthorized", "the token you have provided is invalid"),
        Answer(
            401,
            "denied_authentication",
            "authentication is denied",
            details={"method": "api_key", "reason": "not_found"},
        ),
        Answer(401, message="Invalid API Key provided: sk_test_********"),
    )
    return Fault(kind=wish.cloud, answer=answer)


def _server_error(wish: Wish) -> Fault:
    answer = _answer(
        wish,
        Answer(500, "server_error", "An internal server error occurred"),
        Answer(500, "internal_error", "internal error"),
        Answer(500, message="An unknown error occurred"),
    )
    return Fault(kind=wish.cloud, answer=answer)


def _bad_gateway(wish: Wish) -> Fault:
    text = "<html><head><title>502 Bad Gateway</title></head></html>"
    return Fault(kind=wish.cloud, answer=Answer(502, text=text))


def _reset(wish: Wish) -> Fault:
    return Fault(kind=wish.cloud, reset=True)


def _silence(wish: Wish) -> Fault:
    return Fault(kind=wish.cloud, hang=True)


def _action_fails(wish: Wish) -> Fault:
    failure = ActionFault("action_failed", "the order could not be carried out", wish.seconds)
    # At Scaleway a server is made at once, and it is the switching on that may fail.
    switched = ("POST", "/action", "action=poweron")
    match = _orders(wish) if wish.cloud is Cloud.HETZNER else switched
    return Fault(kind=wish.cloud, match=match, action=failure)


def _boot_hangs(wish: Wish) -> Fault:
    return Fault(kind="boot", match=_named(wish), hang=True)


def _vanish(wish: Wish) -> Fault:
    return Fault(kind=wish.cloud, vanish=wish.server)


def _ssh_dies(wish: Wish) -> Fault:
    return Fault(kind="ssh", match=(*_named(wish), "exec"), when=When.AFTER, reset=True)


def _host_key_changes(wish: Wish) -> Fault:
    return Fault(kind="hostkey", match=_named(wish), reset=True)


def _webhook_late(wish: Wish) -> Fault:
    return Fault(kind="webhook", action=ActionFault(delay=wish.seconds or 10))


def _webhook_twice(_: Wish) -> Fault:
    return Fault(kind="webhook", reset=True, when=When.AFTER)


def _webhook_lost(_: Wish) -> Fault:
    return Fault(kind="webhook", action=ActionFault(code="lost"))


def _named(wish: Wish) -> tuple[str, ...]:
    return (wish.server,) if wish.server else ()


def _late(maker: Callable[[Wish], Fault]) -> Callable[[Wish], Fault]:
    return lambda wish: replace(maker(wish), when=When.AFTER)


MAKERS: Mapping[FaultName, Callable[[Wish], Fault]] = {
    FaultName.RATE_LIMIT: _rate_limit,
    FaultName.SOLD_OUT: _sold_out,
    FaultName.QUOTA: _quota,
    FaultName.UNAUTHORIZED: _unauthorized,
    FaultName.SERVER_ERROR: _server_error,
    FaultName.SERVER_ERROR_AFTER: _late(_server_error),
    FaultName.BAD_GATEWAY: _bad_gateway,
    FaultName.BAD_GATEWAY_AFTER: _late(_bad_gateway),
    FaultName.RESET_BEFORE: _reset,
    FaultName.RESET_AFTER: _late(_reset),
    FaultName.SILENCE: _silence,
    FaultName.SILENCE_AFTER: _late(_silence),
    FaultName.ACTION_FAILS: _action_fails,
    FaultName.BOOT_HANGS: _boot_hangs,
    FaultName.VANISH: _vanish,
    FaultName.SSH_DIES: _ssh_dies,
    FaultName.HOST_KEY_CHANGES: _host_key_changes,
    FaultName.WEBHOOK_LATE: _webhook_late,
    FaultName.WEBHOOK_TWICE: _webhook_twice,
    FaultName.WEBHOOK_LOST: _webhook_lost,
}
