"""Open streams of people who are in, and of people who no longer are; and who may open one."""

from __future__ import annotations

import ssl

import httpx
import pytest

from tests.edge.gateways import ENDLESS, TRICKLED
from tests.edge.stage import (
    PAGE,
    Agent,
    Stage,
    begun,
    heard_to_its_end,
    status_of,
    websocket,
)
from tests.ops.farms import until


def refused(playing: Stage, session: str, agent: Agent) -> bool:
    """Whether a new stream of a browser that was in is refused by now."""
    browser = playing.member(session)
    browser.get(agent.origin, follow_redirects=True)
    return browser.get(agent.origin).status_code != 200


def test_a_stream_is_open_and_ends_to_be_asked_for_anew(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    browser = playing.inside(session, agent)
    for _ in range(2):
        with websocket(browser, agent, origin=agent.origin) as wire:
            assert status_of(wire) == 101
            assert b"tick" in heard_to_its_end(wire)


def test_who_is_removed_loses_the_stream_and_gets_no_other(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    browser = playing.inside(session, agent)
    with websocket(browser, agent, origin=agent.origin) as wire:
        assert status_of(wire) == 101
        playing.order("remove", name=name)
        heard_to_its_end(wire)
    with websocket(browser, agent, origin=agent.origin) as wire:
        assert status_of(wire) == 401
    until(lambda: browser.get(f"{agent.origin}/assets/a.js").status_code != 200)
    assert refused(playing, session, agent)


def test_handing_over_ends_the_stream_of_the_one_before(playing: Stage) -> None:
    (name, session), (heir, _) = playing.person(), playing.person()
    agent = playing.agent(name)
    browser = playing.inside(session, agent)
    with websocket(browser, agent, origin=agent.origin) as wire:
        assert status_of(wire) == 101
        playing.order("hand_over", host=agent.host, to=heir)
        heard_to_its_end(wire)
    with websocket(browser, agent, origin=agent.origin) as wire:
        assert status_of(wire) == 401


def test_logging_out_at_the_site_ends_it_too(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    browser = playing.inside(session, agent)
    page = browser.get(f"{playing.site}/account/logout/")
    token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    left = browser.post(
        f"{playing.site}/account/logout/",
        data={"csrfmiddlewaretoken": token},
        headers={"Origin": playing.site, "Sec-Fetch-Site": "same-origin"},
    )
    assert left.status_code == 302
    with websocket(browser, agent, origin=agent.origin) as wire:
        assert status_of(wire) == 401


def test_an_answer_without_end_is_none(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    assert playing.inside(session, agent).get(agent.origin + ENDLESS).status_code == 502


def test_an_answer_that_only_trickles_is_ended(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    browser = playing.inside(session, agent)
    with pytest.raises(httpx.RemoteProtocolError):
        browser.get(agent.origin + TRICKLED)
    assert agent.gateway.heard[-1].path == TRICKLED


def test_a_request_that_only_trickles_is_ended(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    browser = playing.inside(session, agent)
    headers = {**PAGE, "Sec-Fetch-Site": "same-origin", "Content-Length": "1000000"}
    with begun(browser, "POST", f"{agent.origin}/chat/main", headers) as wire:
        wire.settimeout(0.1)
        until(lambda: answers_to_a_byte(wire))


def answers_to_a_byte(wire: ssl.SSLSocket) -> bool:
    """Send one more; whether the other side hung up or says anything."""
    try:
        wire.sendall(b"x")
        wire.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def test_another_sites_page_opens_no_stream(playing: Stage) -> None:
    name, session = playing.person()
    agent, sibling = playing.agent(name), playing.agent(name, "Otto")
    browser = playing.inside(session, agent)
    heard = len(agent.gateway.heard)
    for origin in ("https://evil.example", sibling.origin, playing.site, "null", None):
        with websocket(browser, agent, origin=origin) as wire:
            assert status_of(wire) == 403, origin
    assert len(agent.gateway.heard) == heard
