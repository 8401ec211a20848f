"""A person's browser: its size, its language, its colours, and a picture of what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.site import ROOT, Site

PICTURES = ROOT / "screenshots"
SIZES = {"phone": (360, 740), "desktop": (1280, 800)}
Scheme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at; its parts name the picture."""

    size: str
    language: str
    scheme: Scheme = "light"

    def picture(self, name: str) -> Path:
        """Where the picture of a page goes."""
        tone = "-dark" if self.scheme == "dark" else ""
        return PICTURES / f"{name}-{self.size}-{self.language}{tone}.png"


@contextmanager
def browsing(
    chromium: Browser, site: Site, look: Look, person: str = ""
) -> Iterator[tuple[Page, list[str]]]:
    """A page of a new browser, and the list to which everything it complains about is added."""
    width, height = SIZES[look.size]
    context = chromium.new_context(
        base_url=site.url,
        viewport={"width": width, "height": height},
        locale="fr-FR" if look.language == "fr" else "en-GB",
        color_scheme=look.scheme,
    )
    context.set_default_timeout(30_000)
    if person:
        _log_in(context, site, person)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page, complaints
    context.close()


def picture(page: Page, look: Look, name: str, *, whole: bool = True) -> None:
    """Keep the whole page, or what is seen of it; a folder of pictures is looked at by people."""
    path = look.picture(name)
    path.parent.mkdir(exist_ok=True)
    page.screenshot(path=path, full_page=whole, animations="disabled")


def fits(page: Page) -> bool:
    """Nothing sticks out to the right."""
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
    )


def _log_in(context: BrowserContext, site: Site, person: str) -> None:
    context.add_cookies(
        [{"name": "sessionid", "value": site.sessions[person], "url": site.url, "httpOnly": True}]
    )
