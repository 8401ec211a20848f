"""The story that `farm demo` tells, step by step, through the pages alone."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

import httpx

from farm.ops.answer import Trouble
from farm.ops.visitor import Page, Visitor

Found = TypeVar("Found")
LOOK_SECONDS = 0.5
NEW = "/agents/new/"
PLAY_CARD = "4242424242424242"
CODE = re.compile(r"\b\d{6}\b")


class Story:
    """One new person and one agent at one farm; every wait ends after `timeout` seconds."""

    def __init__(self, visitor: Visitor, mailbox: str, timeout: float) -> None:
        self.visitor = visitor
        self.mailbox = mailbox
        self.timeout = timeout
        self.email = f"demo-{secrets.token_hex(4)}@example.org"
        self.uid = ""

    def sign_up(self) -> None:
        """With the code that the farm mails."""
        page = self.visitor.open("/")
        self.mailbox = self.mailbox or _mailbox_on(page)
        asked = self.visitor.send(page, page.form_with("email"), {"email": self.email})
        code = self._until("the mail with the code", self._code_in_mail)
        entered = self.visitor.send(asked, asked.form_with("code"), {"code": code})
        if any("code" in form.names for form in entered.forms):
            raise Trouble(f"The code {code} was not taken: {entered.text}", code="sign up")

    def create(self) -> None:
        """Press the button, once the price stands on it; paying in first where that is asked."""
        made = self._press()
        if way := _way_to_pay(made):
            self._pay_in(way)
            self._until("the money", lambda: not _way_to_pay(self.visitor.open(NEW)))
            made = self._press()
        found = re.search(r"/agents/([a-z0-9]{12})/$", made.url)
        if not found:
            raise Trouble(f"The agent was not created: {made.text}", code="create")
        self.uid = found[1]

    def wait_until_home(self) -> None:
        """Until the agent has said its first words."""
        self._until("the agent", lambda: self._is("home") or self._fail_if_failed())

    def have_a_turn_answered(self) -> None:
        """A sum that only a machine's shell can have done appears on the page."""
        one, two = secrets.randbelow(900) + 100, secrets.randbelow(900) + 100
        page = self.visitor.open(f"/agents/{self.uid}/")
        question = f"Run `echo $(({one} + {two}))` and tell me what it says"
        self.visitor.send(page, page.form_with("text"), {"text": question})
        self._until(f"the answer {one + two}", lambda: self._says(str(one + two)))

    def delete(self) -> None:
        """Until the page says that the cloud shows it gone."""
        page = self.visitor.open(f"/agents/{self.uid}/delete/")
        self.visitor.send(page, page.form_with("sure"), {"sure": "yes"})
        self._until("its end", lambda: self._is("gone"))

    def _until(self, what: str, look: Callable[[], Found | None]) -> Found:
        deadline = time.monotonic() + self.timeout
        while not (found := look()):
            if time.monotonic() > deadline:
                raise Trouble(f"Waited {self.timeout:.0f} s for {what}.", code="timeout")
            time.sleep(LOOK_SECONDS)
        return found

    def _code_in_mail(self) -> str:
        answer = httpx.get(f"{self.mailbox.rstrip('/')}/messages", params={"to": self.email})
        codes = (CODE.search(mail["text"]) for mail in answer.json()["messages"])
        return next((code[0] for code in codes if code), "")

    def _priced_page(self) -> Page | None:
        page = self.visitor.open(NEW)
        return page if "seen_hourly" in page.form_with("blueprint").fields else None

    def _press(self) -> Page:
        page = self._until("a price on the button", self._priced_page)
        name = f"Demo {secrets.token_hex(2)}"
        return self.visitor.send(page, page.form_with("blueprint"), {"name": name})

    def _pay_in(self, way: str) -> None:
        """Twenty euros of the sandbox's play money, on its hosted page."""
        wallet = self.visitor.open(way)
        asked = self.visitor.send(wallet, wallet.form_with("amount"), {"amount": "20"})
        hosted = self.visitor.open(_link(asked, "/pay/"))
        card = {"number": PLAY_CARD, "email": self.email, "name": "Demo", "country": "FR"}
        self.visitor.open(
            _link(self.visitor.send(hosted, hosted.form_with("number"), card), "back=")
        )

    def _is(self, state: str) -> bool:
        """The site answers 200 while the agent's page is in that state, 204 once it is not."""
        return self.visitor.status_of(f"/agents/{self.uid}/progress/?on={state}") == 200

    def _fail_if_failed(self) -> bool:
        if self._is("failed"):
            shown = self.visitor.open(f"/agents/{self.uid}/")
            raise Trouble(f"The agent failed: {shown.text}", code="failed")
        return False

    def _says(self, words: str) -> bool:
        return words in self.visitor.open(f"/agents/{self.uid}/").text


def _way_to_pay(page: Page) -> str:
    """Where somebody whose money does not reach is led to pay in; "" where it does."""
    return next((link for link in page.links if "/wallet/?amount=" in link), "")


def _link(page: Page, part: str) -> str:
    """The first link that has this in it; LookupError if none has."""
    for link in page.links:
        if part in link:
            return link
    raise LookupError(f"{page.url} has no link with {part}: {page.text}")


def _mailbox_on(page: Page) -> str:
    """The mailbox's address from the page's link to it: the one link that leaves the site."""
    for link in page.links:
        if link.startswith("http") and not page.url.startswith(link):
            return link
    raise Trouble(
        f"{page.url} links to no mailbox, so it is no farm on a sandbox: name the mailbox with"
        " --mailbox.",
        code="mailbox",
        field="mailbox",
    )
