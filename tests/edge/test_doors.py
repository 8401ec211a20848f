"""Who comes in at an agent's host, and what a forged request is worth there."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from provisioning import tls
from tests.edge.gateways import PLANTED, hostile_gateway
from tests.edge.stage import PAGE, Stage, own_address

FORGED = {
    "X-Agent-Upstream": "127.0.0.1:1",
    "X-Agent-Name": "evil.example",
    "X-Agent-User": "root",
    "X-Forwarded-User": "root",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Groups": "admins",
    "X-OpenClaw-Scopes": "operator.admin",
    "X-OpenClaw-Anything": "1",
    "X-Farm-Edge": "guessed",
    "Forwarded": "for=127.0.0.1",
    "X-Real-IP": "127.0.0.1",
    "Authorization": "Bearer stolen",
    "Proxy-Authorization": "Basic eDp5",
}
SCOPES = "operator.read,operator.write,operator.approvals,operator.questions"
CLOSED = (
    "/v1/chat/completions",
    "/api/v1/admin/rpc",
    "/tools/invoke",
    "/hooks/agent",
    "/api/nodes/watch/1",
    "/oauth/mcp/callback",
    "/readyz",
    "/share/session",
    "/node-desktop/attach",
    "/__openclaw__/worker/x",
    "/__openclaw__/cap/abc/v1/chat/completions",
    "/__openclaw__/cap/abc/__openclaw__/canvas/../../../../v1/models",
    "//assets/v1/chat/completions",
    "/assets/../v1/models",
    "/assets/%2e%2e/v1/models",
    "/assets/..%2f..%2fv1/models",
    "/assets\\..\\v1\\models",
    "/assets/%5c..%5cv1",
    "/assets/.hidden",
    "/V1/models",
)
OPEN = (
    "/",
    "/chat/main",
    "/assets/index-1a2b.js",
    "/sw.js?v=1",
    "/settings/appearance",
    "/avatar/main",
    "/api/users/abc/avatar?v=2",
    "/__openclaw__/canvas/documents/cv_1/index.html",
    "/__openclaw__/cap/abc-1/__openclaw__/canvas/documents/cv_1/index.html",
)


def raw(stage: Stage, host: str, path: str, cookies: str) -> int:
    """The status of a GET whose path no client tidied up."""
    with socket.create_connection(("127.0.0.1", stage.port), timeout=20) as plain:
        context = ssl._create_unverified_context()  # noqa: S323
        with context.wrap_socket(plain, server_hostname=host) as wire:
            lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{stage.port}", f"Cookie: {cookies}"]
            lines += [f"{name}: {value}" for name, value in PAGE.items()]
            wire.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
            return int(wire.recv(4096).split(b" ", 2)[1])


def test_one_click_and_the_person_is_there_by_name(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    browser = playing.member(session)
    shown = browser.get(f"{playing.site}/agents/{agent.uid}/open/", follow_redirects=True)
    assert (shown.status_code, str(shown.url)) == (200, f"{agent.origin}/")
    assert "An agent's page" in shown.text
    heard = agent.gateway.heard[-1].headers
    assert heard["X-Forwarded-User"] == name.capitalize()
    assert heard["X-Openclaw-Scopes"] == SCOPES
    assert heard["X-Forwarded-Proto"] == "https"
    assert heard["X-Forwarded-Host"] == agent.origin.removeprefix("https://")


def test_nothing_forged_reaches_the_farm_or_the_machine(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    stranger = playing.visitor()
    for path in ("/", "/assets/a.js"):
        refused = stranger.get(agent.origin + path, headers={**FORGED, "Sec-Fetch-Mode": "cors"})
        assert refused.status_code == 401
    assert agent.gateway.heard == []
    browser = playing.inside(session, agent)
    browser.cookies.set("mine", "secret", domain=f"{agent.host}.agents.localhost")
    assert browser.get(agent.origin, headers=FORGED).status_code == 200
    heard = agent.gateway.heard[-1].headers
    assert heard["X-Forwarded-User"] == name.capitalize()
    assert heard["X-Openclaw-Scopes"] == SCOPES
    assert heard["X-Forwarded-For"] == "192.0.2.7"
    names = {header.lower() for header in heard}
    gone = {"cookie", "authorization", "proxy-authorization", "forwarded", "x-real-ip"}
    assert names.isdisjoint(gone | {"x-openclaw-anything", "x-forwarded-groups", "x-farm-edge"})
    assert not any(header.startswith("x-agent-") for header in names)


def test_what_a_machine_plants_in_browsers_stays_with_it(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    shown = playing.inside(session, agent).get(agent.origin)
    for name, value in PLANTED.items():
        assert value not in shown.headers.get_list(name), name


def test_only_the_control_uis_paths_are_there(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    browser = playing.inside(session, agent)
    host = f"{agent.host}.agents.localhost"
    cookies = "; ".join(f"{c.name}={c.value}" for c in browser.cookies.jar if c.domain == host)
    for path in OPEN:
        assert raw(playing, host, path, cookies) == 200, path
    heard = len(agent.gateway.heard)
    for path in CLOSED:
        assert raw(playing, host, path, cookies) in (400, 404), path
    assert len(agent.gateway.heard) == heard
    assert browser.post(f"{agent.origin}/v1/chat/completions").status_code == 404


def test_another_member_finds_nothing(playing: Stage) -> None:
    name, session = playing.person()
    _, other = playing.person()
    agent = playing.agent(name)
    playing.inside(session, agent)
    shown = playing.member(other).get(agent.origin, follow_redirects=True)
    assert shown.status_code == 404
    assert str(shown.url).startswith(playing.site)
    for host in ("nobody", "farm"):
        gone = playing.member(other).get(
            f"https://{host}.agents.localhost:{playing.port}/", follow_redirects=True
        )
        assert gone.status_code == 404


def test_who_is_not_logged_in_is_asked_to_and_comes_back(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    browser = playing.visitor()
    asked = browser.get(f"{agent.origin}/chat/main", follow_redirects=True)
    assert "/account/login/" in str(asked.url)
    after = httpx.URL(str(asked.url)).params["next"]
    browser.cookies.set("__Host-session", session, domain="farm.localhost")
    shown = browser.get(f"{playing.site}{after}", follow_redirects=True)
    assert str(shown.url) == f"{agent.origin}/chat/main"


def test_a_stolen_or_used_code_is_worth_nothing(playing: Stage) -> None:
    name, session = playing.person()
    agent = playing.agent(name)
    browser, thief = playing.member(session), playing.visitor()
    site = browser.get(agent.origin).headers["Location"]
    entrance = browser.get(site).headers["Location"]
    assert entrance.startswith(f"{agent.origin}/.farm/enter?code=")
    assert thief.get(entrance).status_code == 403
    assert browser.get(entrance).status_code == 403
    assert thief.get(agent.origin).status_code == 302
    assert agent.gateway.heard == []


def test_a_cookie_of_one_agent_opens_no_other(playing: Stage) -> None:
    name, session = playing.person()
    mine = playing.agent(name)
    other = playing.agent(playing.person()[0], "Otto")
    browser = playing.inside(session, mine)
    cookie = next(c for c in browser.cookies.jar if c.name == "__Host-edge")
    thief = playing.visitor()
    thief.cookies.set("__Host-edge", str(cookie.value), domain=f"{other.host}.agents.localhost")
    assert thief.get(other.origin).status_code == 302
    assert other.gateway.heard == []


def test_what_caddy_asks_is_asked_by_nobody_else(playing: Stage) -> None:
    stranger = playing.visitor()
    for path in ("/edge/auth", "/edge/enter?code=x", "/edge/ask?domain=x", "/edge/auth/"):
        assert stranger.get(playing.site + path, headers=FORGED).status_code == 404
    straight = f"http://127.0.0.1:{playing.environ['PORT']}/edge/auth"
    assert httpx.get(straight, headers=FORGED).status_code == 404


@pytest.mark.parametrize("whose", ["another agent's", "nobody's"])
def test_a_machine_with_another_certificate_is_not_talked_to(
    playing: Stage, tmp_path: Path, whose: str
) -> None:
    name, session = playing.person()
    ipv4 = own_address()
    row = playing.order("agent", owner=name, name="Nino", ipv4=ipv4)
    papers = playing.order("agent", owner=name, name="Otto", ipv4="127.0.0.1")
    if whose == "nobody's":
        papers = _self_signed(row["server_name"])
    with hostile_gateway(ipv4, papers["certificate"], papers["private_key"], tmp_path) as gateway:
        origin = f"https://{row['host']}.agents.localhost:{playing.port}"
        shown = playing.member(session).get(origin, follow_redirects=True)
        assert shown.status_code == 502
        assert gateway.heard == []


def _self_signed(name: str) -> dict[str, str]:
    now = datetime.now(UTC)
    made = tls.issue(tls.new_authority(now), name, now)
    return {"certificate": made.certificate, "private_key": made.private_key}
