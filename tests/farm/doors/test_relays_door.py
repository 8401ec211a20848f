"""Every route of the relay as everybody who may knock at it: the answer is what the table says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import httpx
import pytest
from django.utils import timezone
from starlette.routing import Route

from farm.accounts.permissions import Action, Standing, allowed
from farm.agents.models import Agent
from farm.agents.relay_keys import hash_of, new_relay_key
from farm.agents.relay_paths import RELAY_PATHS
from farm.relay.app import relay_application
from farm.relay.routes import ROUTES
from tests.farm.doors.routes import METHODS
from tests.farm.relay.actors import Cast, a_relay, an_agent, shown

HOME, ELSEWHERE = "127.0.0.21", "127.0.0.22"
HEALTH = "/healthz"
CALLS: Mapping[str, Mapping[str, Action]] = {
    HEALTH: {"GET": Action.SIGN_UP},
    **{route.list_path: {"GET": Action.CALL_MODEL} for route in ROUTES},
    **{route.path: {"POST": Action.CALL_MODEL} for route in ROUTES},
}
ANSWERS = {401: "nobody", 403: "not yours", 404: "nothing here", 405: "no such method"}


@dataclass(frozen=True, slots=True)
class Caller:
    """A key, from where it is shown, and how whoever shows it there stands to the relay."""

    name: str
    key: str
    address: str = HOME
    standing: Standing = Standing.STRANGER


@pytest.fixture
def relay(transactional_db: None) -> Iterator[str]:
    """A relay before which no provider lies: what would go there ends at its first question."""
    with a_relay() as address:
        yield address


def every_route() -> list[Route]:
    """Of the application's own table."""
    routes = relay_application().routes
    assert all(isinstance(route, Route) for route in routes)
    return [route for route in routes if isinstance(route, Route)]


def test_every_route_is_in_the_table_and_every_line_is_a_route() -> None:
    known = {(path, method) for path, methods in CALLS.items() for method in methods}
    there = {(route.path, method) for route in every_route() for method in route.methods or ()}
    assert {one for one in there if one[1] != "HEAD"} == known


def test_the_answer_is_what_the_table_says(relay: str) -> None:
    everybody = {provider: list(callers(provider)) for provider in RELAY_PATHS}
    with line(relay, HOME) as home, line(relay, ELSEWHERE) as elsewhere:
        wrong = wrong_answers(everybody, {HOME: home, ELSEWHERE: elsewhere})
    assert not wrong, "\n".join(wrong)


def line(relay: str, address: str) -> httpx.Client:
    """The way to the relay from an address."""
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(base_url=relay, transport=transport, timeout=30)


def wrong_answers(
    everybody: Mapping[str, Sequence[Caller]], lines: Mapping[str, httpx.Client]
) -> Sequence[str]:
    """What the table does not say, a line each."""
    return [
        f"{method} {route.path} as {caller.name}: {told}, which is not {expected}"
        for route in every_route()
        for caller in everybody[provider_of(route.path)]
        for method in METHODS
        for told in [answer(lines[caller.address], route.path, method, caller)]
        for expected in [expectation(route.path, method, caller)]
        if told not in expected
    ]


def callers(provider: str) -> Iterator[Caller]:
    """Everybody who may have a key, or say so, to that provider's models."""
    ada, bob = (an_agent("sk", provider, name=name, address=HOME) for name in ("Ada", "Bob"))
    bobs = Caller("another agent, elsewhere", bob.agent.relay_key, ELSEWHERE)
    other = next(name for name in RELAY_PATHS if name != provider)
    yield Caller("nobody", "", standing=Standing.NOBODY)
    yield Caller("a guess", new_relay_key(), standing=Standing.NOBODY)
    yield Caller("the farm's own key", "sk", standing=Standing.NOBODY)
    yield Caller("a renewed key", renewed(provider), standing=Standing.NOBODY)
    yield Caller("a deleted agent", deleted(provider), standing=Standing.NOBODY)
    yield Caller("a key whose shared one is revoked", withdrawn(provider))
    yield bobs
    yield Caller("its key on another machine", ada.agent.relay_key, ELSEWHERE)
    yield Caller("another provider's", an_agent("sk", other, address=HOME).agent.relay_key)
    yield Caller("its own machine", ada.agent.relay_key, standing=Standing.MACHINE)


def renewed(provider: str) -> str:
    """The key that an agent had before it got another."""
    cast, fresh = an_agent("sk", provider, name="Cid", address=HOME), new_relay_key()
    Agent.objects.filter(pk=cast.agent.pk).update(relay_key=fresh, relay_key_hash=hash_of(fresh))
    return str(cast.agent.relay_key)


def deleted(provider: str) -> str:
    """The key of an agent that is to go."""
    cast = an_agent("sk", provider, name="Dan", address=HOME)
    Agent.objects.filter(pk=cast.agent.pk).update(wanted=Agent.Wanted.DELETED)
    return str(cast.agent.relay_key)


def withdrawn(provider: str) -> str:
    """The key of an agent whose account took the shared key back."""
    cast: Cast = an_agent("sk", provider, name="Eve", address=HOME)
    cast.shared.revoked_at = timezone.now()
    cast.shared.save()
    return str(cast.agent.relay_key)


def provider_of(path: str) -> str:
    """Whose callers knock there; anybody's where it is nobody's."""
    return next((name for name, base in RELAY_PATHS.items() if path.startswith(base)), "openai")


def expectation(path: str, method: str, caller: Caller) -> str:
    """One of "done", "nobody", "not yours", "nothing here", "no such method", or some of them."""
    action = CALLS[path].get(method)
    if action is None:
        # Where the last word of a path is the caller's, a list's address may be a call's, too.
        return "no such method, nobody, not yours, nothing here, refused"
    if allowed(action, {caller.standing}):
        return "done, refused"
    return "nobody" if caller.standing is Standing.NOBODY else "not yours, nothing here"


def answer(line: httpx.Client, path: str, method: str, caller: Caller) -> str:
    """What whoever knocks is told; a call without a word in it is refused behind the door."""
    filled = re.sub(r"\{\w+:path\}", "models/gemini:generateContent", path)
    headers = shown(provider_of(path), caller.key) if caller.key else {}
    told = line.request(method, filled, json={}, headers=headers)
    if told.status_code == 400:
        return "refused"
    return ANSWERS.get(told.status_code, "done")
