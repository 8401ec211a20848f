"""The whole story with a real guest, the real OpenClaw and a real browser, through `farm up`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.lab.baking import own_cache, share
from tests.lab.outside import wait_for_the_base_image
from tests.lab.story import PATIENCE, Story, left_of
from tests.ops.farms import RunningFarm, Surroundings, free_port, running_farm, until

pytestmark = pytest.mark.lab

IMAGE_SECONDS = 1200.0


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """Debian's browser, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


def test_the_whole_story(chromium: Browser, tmp_path: Path) -> None:
    cache = own_cache(tmp_path)
    extra = {"FARM_CACHE": str(cache)}
    surroundings = Surroundings(tmp_path, free_port(), free_port(), guests="real", extra=extra)
    with running_farm(surroundings) as farm:
        assert farm.said["guests"] == "real", farm.said["why"]
        print(f"\n{farm.said['why']}", flush=True)
        wait_for_the_base_image(surroundings.outside["SANDBOX_CONTROL_URL"])
        link = _tell(chromium, farm, "Vera", 4711, "From the vanilla image:")
        assert _link_is_there(link)
        _bake(surroundings)
        share(cache)
        assert surroundings.farm("people", "operator", "vera@example.org").returncode == 0
        _tell(chromium, farm, "Rapide", 4712, "From the prebuilt image:")
    until(lambda: left_of(tmp_path) == [])
    assert surroundings.processes() == []
    assert not _link_is_there(link)


def _tell(chromium: Browser, farm: RunningFarm, name: str, person: int, title: str) -> str:
    """Tell the story; answers the network link by which its agent was reached."""
    print(title, flush=True)
    context = chromium.new_context(base_url=farm.said["url"], locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    story = Story(page, farm.surroundings, name, person, comes_later=name == "Rapide")
    story.tell()
    context.close()
    return story.link


def _bake(surroundings: Surroundings) -> None:
    began = time.monotonic()
    baked = surroundings.farm("images", "build", timeout=IMAGE_SECONDS)
    assert baked.returncode == 0, baked.stderr
    print(f"  {time.monotonic() - began:7.1f} s  the image baked", flush=True)


def _link_is_there(link: str) -> bool:
    return (Path("/sys/class/net") / link).exists()
