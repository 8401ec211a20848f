"""A real browser, the real Caddy and the real OpenClaw in a real guest: one click, and in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.lab.story import PATIENCE, Story
from tests.ops.farms import RunningFarm, Surroundings, free_port, running_farm

pytestmark = pytest.mark.lab


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """Debian's browser, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[RunningFarm]:
    """A farm with real guests behind an edge."""
    port = free_port()
    edge = {
        "SITE_URL": f"https://farm.localhost:{port}",
        "AGENT_URL": f"https://{{host}}.agents.localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,farm.localhost",
        "EDGE_ADDRESSES": "sandbox",
        "EDGE_HTTP_PORT": str(free_port()),
        "EDGE_STREAM_SECONDS": "15",
    }
    around = Surroundings(tmp_path, free_port(), free_port(), guests="real", extra=edge)
    with running_farm(around) as started:
        assert started.said["guests"] == "real", started.said["why"]
        yield started


def test_one_click_leads_to_the_real_console(chromium: Browser, farm: RunningFarm) -> None:
    began = time.monotonic()
    site = farm.surroundings.extra["SITE_URL"]
    context = chromium.new_context(base_url=site, locale="en-GB", ignore_https_errors=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    story = Story(page, farm.surroundings, "Vera", 4713)
    story.sign_up()
    story.create()
    _wait_for_first_words(page)
    frames = _opened(page)
    _wait_for_hellos(page, frames, 2)
    assert not any("PAIRING" in frame for frame in frames)
    _own_machine_is_no_proxy(story)
    print(f"\n  {time.monotonic() - began:7.1f} s  from sign-up to a console that reconnected")
    context.close()


def _wait_for_first_words(page: Page) -> None:
    """Looking again and again, as somebody does who came back to the page."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not page.get_by_text("I am Vera").count():
        assert time.monotonic() < deadline, page.inner_text("body")
        page.wait_for_timeout(2000)
        page.reload()


def _opened(page: Page) -> list[str]:
    """What the console hears over its WebSocket, the one after the edge cut it off too."""
    frames: list[str] = []
    page.context.on("page", lambda opened: _listen(opened, frames))
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open its console").click()
    console = opened.value
    console.get_by_text("Connected").first.wait_for(timeout=60_000)
    assert re.fullmatch(
        r"vera\.agents\.localhost:\d+/chat(/main)?", console.url.partition("://")[2]
    )
    assert any("Vera" in frame for frame in frames)
    return frames


def _wait_for_hellos(page: Page, frames: list[str], count: int) -> None:
    """The browser's news come only while it is waited for through it."""
    deadline = time.monotonic() + 120
    while sum('"hello-ok"' in frame for frame in frames) < count:
        assert time.monotonic() < deadline, f"{len(frames)} frames, too few hellos"
        page.wait_for_timeout(200)


def _listen(console: Page, frames: list[str]) -> None:
    console.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))),
    )


def _own_machine_is_no_proxy(story: Story) -> None:
    """What runs on the machine cannot pass for the edge, neither over loopback nor its address."""
    story.tell_shares()
    forged = "-H 'X-Forwarded-User: Vera' -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-Host: a'"
    forged += " -H 'X-Forwarded-For: 192.0.2.7' -w '=%{http_code}=' -o /dev/null -sk --max-time 5"
    for address in ("127.0.0.1", "$(hostname -I | cut -d' ' -f1)"):
        path = f"https://{address}:18789/v1/models"
        story.is_answered(f"Run `curl {forged} {path}` and tell me what it says", "=403=")
