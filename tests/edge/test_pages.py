"""An agent's page in its keeper's browser: what it can read, ride or fix of the site and others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.edge.stage import Agent, Stage

pytestmark = pytest.mark.browser

READ = """async (site) => {
  const told = [];
  for (const mode of ['cors', 'no-cors']) {
    try {
      const answer = await fetch(site + '/agents/', {credentials: 'include', mode});
      told.push(answer.type + await answer.text());
    } catch (error) { told.push('refused'); }
  }
  const frame = document.createElement('iframe');
  frame.src = site + '/agents/';
  const loaded = new Promise((done) => { frame.onload = done; });
  document.body.append(frame);
  await loaded;
  try { told.push(frame.contentDocument.body.innerText); } catch (error) { told.push('shut'); }
  return told;
}"""
PLANT = """(name) => {
  const before = document.cookie;
  for (const domain of ['agents.localhost', 'localhost', 'farm.localhost'])
    document.cookie = `${name}=evil; Path=/; Secure; Domain=${domain}`;
  document.cookie = `${name}=evil; Path=/; Secure; SameSite=None; Domain=.localhost`;
  return before;
}"""
BOMB = """() => {
  for (let n = 0; n < 400; n++)
    document.cookie = `bomb${n}=${'x'.repeat(3900)}; Path=/; Secure; Domain=agents.localhost`;
  return document.cookie.length;
}"""
REACH = """async (other) => {
  const told = [];
  for (const mode of ['cors', 'no-cors'])
    for (const method of ['GET', 'POST']) {
      try {
        const answer = await fetch(other + '/assets/a.js', {credentials: 'include', mode, method});
        told.push(answer.type);
      } catch (error) { told.push('refused'); }
    }
  const frame = document.createElement('iframe');
  frame.src = other;
  const loaded = new Promise((done) => { frame.onload = done; });
  document.body.append(frame);
  await loaded;
  const script = document.createElement('script');
  script.src = other + '/assets/b.js';
  const failed = new Promise((done) => { script.onerror = script.onload = done; });
  document.head.append(script);
  await failed;
  const socket = new WebSocket(other.replace('https', 'wss'));
  told.push(await new Promise((done) => {
    socket.onopen = () => done('open'); socket.onerror = () => done('closed');
  }));
  return told;
}"""
RIDE = """(site) => {
  const form = document.createElement('form');
  form.method = 'post'; form.action = site + '/account/logout/'; form.target = '_blank';
  document.body.append(form); form.submit();
}"""


@dataclass(frozen=True, slots=True)
class Home:
    """One person's browser, logged in at the site, with two agents of theirs open."""

    context: BrowserContext
    page: Page
    nino: Agent
    otto: Agent


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's browser, without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def home(chromium: Browser, playing: Stage) -> Iterator[Home]:
    """Both agents opened as a person does; the page is Nino's."""
    name, session = playing.person()
    nino, otto = playing.agent(name), playing.agent(name, "Otto")
    context = chromium.new_context(ignore_https_errors=True)
    own = {"name": "__Host-session", "value": session, "url": f"{playing.site}/"}
    context.add_cookies([{**own, "secure": True, "httpOnly": True, "sameSite": "Lax"}])  # type: ignore[typeddict-item]
    page = context.new_page()
    for agent in (otto, nino):
        page.goto(agent.origin)
        assert page.inner_text("h1") == "An agent's page"
    yield Home(context, page, nino, otto)
    context.close()


def is_logged_in(home: Home, playing: Stage) -> bool:
    """Whether the site still knows the person."""
    page = home.context.new_page()
    page.goto(f"{playing.site}/agents/")
    return page.url == f"{playing.site}/agents/"


def test_it_reads_nothing_of_the_site(home: Home, playing: Stage) -> None:
    cors, opaque, frame = home.page.evaluate(READ, playing.site)
    assert (cors, opaque) == ("refused", "opaque")
    assert frame in ("shut", "")
    assert home.page.evaluate("document.cookie") == ""


def test_it_rides_no_session_of_the_site(home: Home, playing: Stage) -> None:
    with home.context.expect_page() as opened:
        home.page.evaluate(RIDE, playing.site)
    opened.value.wait_for_load_state()
    assert is_logged_in(home, playing)


@pytest.mark.parametrize("name", ["__Host-session", "__Host-csrf", "sessionid", "__Host-edge"])
def test_it_fixes_no_session_of_the_site_or_another_agent(
    home: Home, playing: Stage, name: str
) -> None:
    home.page.evaluate(PLANT, name)
    for origin in (playing.site, home.otto.origin):
        held = {c["value"] for c in home.context.cookies(origin) if c["name"] == name}
        assert "evil" not in held or not name.startswith("__Host-")
    assert is_logged_in(home, playing)
    home.page.goto(home.otto.origin)
    assert home.page.inner_text("h1") == "An agent's page"


def test_its_cookies_shut_no_sibling_out(home: Home) -> None:
    full = home.page.evaluate(BOMB)
    assert full > 500_000
    for _ in range(2):
        shown = home.page.goto(home.otto.origin)
        assert home.page.inner_text("h1") == "An agent's page"
    assert shown
    assert len(shown.request.all_headers()["cookie"]) > full / 2


def test_it_reaches_no_sibling_but_by_a_link(home: Home) -> None:
    heard = len(home.otto.gateway.heard)
    told = home.page.evaluate(REACH, home.otto.origin)
    assert "open" not in told
    assert "basic" not in told
    assert len(home.otto.gateway.heard) == heard
    home.page.evaluate("(other) => { location.href = other; }", home.otto.origin)
    home.page.wait_for_url(f"{home.otto.origin}/")
    assert len(home.otto.gateway.heard) > heard
