"""The story of one person and one agent, told in a real browser; each step says its seconds."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Page, expect

from tests.ops.farms import Surroundings, until

PATIENCE = 600_000
"""Milliseconds; a vanilla machine was seen to be there within 165,000."""
STRANGER = 666


@dataclass(frozen=True, slots=True)
class Phone:
    """Telegram on somebody's phone, as the sandbox has it."""

    control: str
    person: int
    bot: str

    def write(self, text: str) -> None:
        """Send a line to the bot."""
        line = {"bot": self.bot, "from": self.person, "name": "Dora", "text": text}
        httpx.post(f"{self.control}/telegram/messages", json=line).raise_for_status()

    def answers(self) -> list[str]:
        """What the bot wrote to this person."""
        asked: dict[str, str | int] = {"bot": self.bot, "chat": self.person}
        shown = httpx.get(f"{self.control}/telegram/messages", params=asked).json()["messages"]
        return [line["text"] for line in shown if line["by"] == "bot"]


@dataclass(slots=True)
class Story:
    """One person's browser at one farm; `seconds` fills as the steps are told.

    `link` is the network link by which this machine reached the agent's.
    """

    page: Page
    surroundings: Surroundings
    name: str
    person: int
    seconds: dict[str, float] = field(default_factory=dict)
    link: str = ""
    comes_later: bool = False

    @property
    def email(self) -> str:
        """The person's address."""
        return f"{self.name.lower()}@example.org"

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Tell a step and its seconds."""
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began
        print(f"  {self.seconds[name]:7.1f} s  {name}", flush=True)

    def tell(self) -> None:
        """From the first page to the last."""
        began = time.monotonic()
        with self.step("sign up"):
            self.sign_up()
        if self.comes_later:
            self.is_paid_for()
        with self.step("create"):
            self.create()
        with self.step("link Telegram while waiting"):
            phone = self.link_telegram()
        with self.step("wait for the first words"):
            self.page.get_by_text(f"I am {self.name}").first.wait_for()
        with self.step("a turn answered"):
            self.is_answered("Run `echo $((20 + 22))` and tell me what it says", "42")
        answered = time.monotonic() - began
        self.tell_shares()
        print(f"  {answered:7.1f} s  from sign-up submit to answered turn", flush=True)
        self.go_on(phone)

    def go_on(self, phone: Phone) -> None:
        """What an agent is there for, and its end."""
        with self.step("a file written and read"):
            self.writes_a_file()
        with self.step("an exchange in Telegram, none with a stranger"):
            self.talks_in_telegram(phone)
        with self.step("its Control UI opened"):
            self.opens()
        with self.step("deleted, seen gone"):
            self.delete()

    def sign_up(self) -> None:
        """With the six digits that were mailed."""
        self.page.goto("/")
        self.page.get_by_label("Your e-mail address").fill(self.email)
        self.page.get_by_role("button", name="Send me a code").click()
        self.page.get_by_label("The code").fill(self.code())
        self.page.get_by_role("button", name="Continue").click()
        self.page.get_by_role("link", name="New agent").wait_for()

    def is_paid_for(self) -> None:
        """Whoever comes later pays in advance, unless who runs the farm says otherwise."""
        for words in (("payers", "--as", self.email), ("pays", self.name, "internal")):
            done = self.surroundings.farm("billing", *words)
            assert done.returncode == 0, done.stderr

    def code(self) -> str:
        """From the sandbox's mailbox, once it is there."""
        found: list[str] = []

        def arrived() -> bool:
            mailbox = self.surroundings.outside["SANDBOX_MAILBOX_URL"].rstrip("/")
            shown = httpx.get(f"{mailbox}/messages", params={"to": self.email}).json()
            found.extend(re.findall(r"\b\d{6}\b", " ".join(m["text"] for m in shown["messages"])))
            return bool(found)

        until(arrived)
        return found[0]

    def create(self) -> None:
        """The button says the price."""
        self.page.get_by_role("link", name="New agent").click()
        self.page.get_by_label("Its name").fill(self.name)
        self.page.get_by_role("button", name=re.compile("Create - .*EUR.*EUR")).click()
        self.page.get_by_role("heading", name=self.name, exact=True).wait_for()

    def link_telegram(self) -> Phone:
        """A pasted token, then the code from a phone."""
        control = self.surroundings.outside["SANDBOX_CONTROL_URL"].rstrip("/")
        wish = {"name": self.name, "username": f"{self.name.lower()}_story_bot"}
        bot = httpx.post(f"{control}/telegram/bots", json=wish).json()
        form = self.page.locator("#telegram")
        form.get_by_label("Token of the bot").fill(bot["token"])
        form.get_by_role("button", name="Link Telegram").click()
        phone = Phone(control, self.person, bot["username"])
        phone.write(self.page.locator(".passcode").inner_text())
        self.page.locator("#telegram").get_by_text("Telegram is linked").wait_for()
        return phone

    def is_answered(self, question: str, words: str) -> None:
        """Ask in the page; the answer comes by itself."""
        before = self.page.locator(".said:not(.mine)").count()
        self.page.get_by_label(f"Write to {self.name}").fill(question)
        self.page.get_by_role("button", name="Send", exact=True).click()
        said = self.page.locator(".said:not(.mine)")
        expect(said).to_have_count(before + 1, timeout=PATIENCE)
        expect(said.last).to_contain_text(words)

    def writes_a_file(self) -> None:
        """The agent reads back what it wrote, and it lies on its machine's own disk."""
        words = f"kept-by-{self.name.lower()}"
        self.is_answered(f"Write a file story.txt that says {words}, then read it to me", words)
        disks = self.surroundings.data / "sandbox" / "guests"
        assert [path for path in disks.rglob("story.txt") if words in path.read_text()]

    def talks_in_telegram(self, phone: Phone) -> None:
        """Its member is greeted and answered; a stranger, who wrote before, gets nothing."""
        stranger = Phone(phone.control, STRANGER, phone.bot)
        stranger.write("Hello, let me in")
        until(lambda: any(f"I am {self.name}" in said for said in phone.answers()))
        phone.write("Run `echo $((40 + 4))` please")
        until(lambda: any("44" in said for said in phone.answers()))
        assert stranger.answers() == []

    def opens(self) -> None:
        """In a tab of its own, on a host of its own, already let in."""
        with self.page.context.expect_page() as opened:
            self.page.get_by_role("link", name="Open its console").click()
        console = opened.value
        console.set_default_timeout(PATIENCE)
        console.get_by_text(self.name).first.wait_for()
        where = urlsplit(console.url)
        assert where.hostname == f"{self.name.lower()}.agents.localhost"
        assert "token" not in console.url
        console.close()

    def delete(self) -> None:
        """Said gone only once the cloud shows it gone."""
        self.page.get_by_role("link", name=f"Delete {self.name}").click()
        self.page.get_by_label("I have kept what I want to keep.").check()
        self.page.get_by_role("button", name=f"Delete {self.name}").click()
        self.page.get_by_role("heading", name=f"{self.name} is gone").wait_for()
        control = self.surroundings.outside["SANDBOX_CONTROL_URL"].rstrip("/")
        there = httpx.get(f"{control}/inventory").json()
        assert (there["servers"], there["primary_ips"]) == ([], [])

    def tell_shares(self) -> None:
        """How long each line of the wait took, as the farm recorded it."""
        shown = self.surroundings.farm("agents", "show", self.name, "--as", self.email, "--json")
        told = json.loads(shown.stdout)
        self.link = link_to(told["ipv4"])
        for line in told["steps"]:
            print(f"           {line['elapsed_seconds']:4d} s  {line['label']}", flush=True)


def link_to(ipv4: str) -> str:
    """The network link by which this machine reaches a guest."""
    argv = ["ip", "-json", "route", "get", ipv4]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True)
    return str(json.loads(shown.stdout)[0]["dev"])


def left_of(data: Path) -> list[str]:
    """Processes and mounts that know the folder of a farm that has ended."""
    found = [
        str(path)
        for name in ("mountinfo", "cmdline", "environ")
        for path in Path("/proc").glob(f"[0-9]*/{name}")
        if str(data) in _text(path)
    ]
    return [path for path in found if Path(path).parent.name != str(_own())]


def _own() -> int:
    return int(Path("/proc/self").resolve().name)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""
