"""Every way through the edge as everybody: the answer is what the table of permissions says."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from farm.accounts.permissions import Standing, allowed
from tests.edge.doors import DOORS, TO_MACHINES, Edge, edge
from tests.edge.stage import Agent, Stage
from tests.ops.farms import until

S = Standing
OTHER_METHODS = ("POST", "PUT", "PATCH", "DELETE")
NOT_FOR_PEOPLE = (
    *("/v1/models", "/api/v1/admin/rpc", "/tools/invoke", "/hooks/agent", "/edge/auth"),
    *("/edge/ask", "/relay/openai/v1/models", "/nothing"),
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody's browser, and how they stand to the agent that they try to open."""

    name: str
    browser: httpx.Client
    agent: Agent
    standings: frozenset[Standing]

    @property
    def may_open(self) -> bool:
        """What the table says."""
        return allowed(TO_MACHINES, self.standings)


@pytest.fixture(scope="module")
def ways(playing: Stage) -> Edge:
    """Every way that Caddy has."""
    return edge(playing)


@pytest.fixture(scope="module")
def everybody(playing: Stage) -> Sequence[Caller]:
    """Max's agent in Olivia's account, and who may want to open it; Remi had one there, too."""
    (owner, olivia), (keeper, maxs) = playing.person(), playing.person()
    playing.order("join", of=owner, name=keeper, role="member")
    agent = playing.agent(keeper)
    callers = [
        Caller("nobody", playing.visitor(), agent, frozenset({S.NOBODY})),
        Caller("owner", playing.member(olivia), agent, frozenset({S.OWNER})),
        Caller("keeper", playing.member(maxs), agent, frozenset({S.MEMBER, S.KEEPER})),
        removed(playing, owner),
    ]
    for standing in (S.STRANGER, S.MEMBER, S.ADMIN, S.OPERATOR):
        name, session = playing.person()
        if standing in (S.MEMBER, S.ADMIN):
            playing.order("join", of=owner, name=name, role=standing)
        if standing is S.OPERATOR:
            playing.order("appoint", name=name)
        callers.append(Caller(standing, playing.member(session), agent, frozenset({standing})))
    return callers


def removed(playing: Stage, owner: str) -> Caller:
    """Somebody who had an agent open when they were taken out of the account."""
    name, session = playing.person()
    playing.order("join", of=owner, name=name, role="member")
    agent = playing.agent(name, "Otto")
    browser = playing.inside(session, agent)
    playing.order("remove", name=name)
    until(lambda: asked(browser, agent, "GET", "/assets/a.js").status_code != 200)
    return Caller("removed", browser, agent, frozenset({S.STRANGER}))


def asked(browser: httpx.Client, agent: Agent, method: str, path: str) -> httpx.Response:
    """The answer to what an agent's own page asks for; by another method than GET, to its words."""
    headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    return browser.request(method, agent.origin + path, headers={**headers, "Origin": agent.origin})


def test_every_way_of_caddys_is_in_the_table(ways: Edge) -> None:
    assert ways.doors == set(DOORS)
    assert len(ways.admitted) > 50


def test_an_agent_opens_to_whom_the_table_says(everybody: Sequence[Caller]) -> None:
    for caller in everybody:
        shown = caller.browser.get(caller.agent.origin, follow_redirects=True)
        there = str(shown.url).startswith(caller.agent.origin) and shown.status_code == 200
        assert there == caller.may_open, caller.name
        asks_who = "/account/login/" in str(shown.url)
        assert asks_who == (caller.standings == {S.NOBODY}), caller.name
        assert caller.may_open or asks_who or shown.status_code == 404, caller.name


def test_each_admitted_path_answers_whom_the_table_says(
    ways: Edge, everybody: Sequence[Caller]
) -> None:
    wrong = [
        f"{method} {path} as {caller.name}: {status}"
        for caller in everybody
        for number, path in enumerate(ways.admitted)
        for method in ("GET", OTHER_METHODS[number % len(OTHER_METHODS)])
        for status in [asked(caller.browser, caller.agent, method, path).status_code]
        if status != (200 if caller.may_open else 401)
    ]
    assert not wrong, "\n".join(wrong)


def test_what_is_not_admitted_is_there_for_nobody(everybody: Sequence[Caller]) -> None:
    for caller in everybody:
        heard = len(caller.agent.gateway.heard)
        for method in ("GET", *OTHER_METHODS):
            for path in NOT_FOR_PEOPLE:
                assert asked(caller.browser, caller.agent, method, path).status_code == 404
        assert len(caller.agent.gateway.heard) == heard


def test_a_code_that_is_none_lets_nobody_in(everybody: Sequence[Caller]) -> None:
    for caller in everybody:
        for method in ("GET", *OTHER_METHODS):
            told = asked(caller.browser, caller.agent, method, "/.farm/enter?code=guessed")
            assert told.status_code == 403, caller.name


def test_the_sites_host_leads_nobody_to_what_caddy_asks(
    playing: Stage, everybody: Sequence[Caller]
) -> None:
    for caller in everybody:
        for path in ("/edge/auth", "/edge/enter", "/edge/ask", "/EDGE/auth", "/edge/%61uth"):
            told = caller.browser.get(playing.site + path, headers={"X-Farm-Edge": "guessed"})
            assert told.status_code == 404, (caller.name, path)
        # No relay runs on this stage: Caddy alone answers for it, whoever asks.
        told = caller.browser.get(f"{playing.site}/relay/openai/v1/models")
        assert told.status_code == 502, caller.name


def test_the_door_to_machines_is_shut_to_other_users_of_this_machine(playing: Stage) -> None:
    inner = Path(playing.environ["FARM_DATA"]) / "edge" / "inner"
    assert stat.S_IMODE(inner.stat().st_mode) == 0o600
