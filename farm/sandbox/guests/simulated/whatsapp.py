"""WhatsApp as simulated guests meet it: codes that change, phones that scan them, and chats."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

import segno


@dataclass(slots=True, eq=False)
class Login:
    """A guest that shows a code. `account` is the number that scanned it, "" before."""

    machine: str
    code: str = ""
    picture: str = ""
    account: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def turn(self) -> None:
        """Another code: the one before is worth nothing from now on."""
        self.code = f"2@{secrets.token_urlsafe(120)}"
        self.picture = segno.make(self.code, micro=False).png_data_uri(scale=4)
        self._tell()

    def scanned(self, account: str) -> None:
        """A phone saw the code and linked its account."""
        self.account = account
        self._tell()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


@dataclass(frozen=True, slots=True)
class Line:
    """A message between two numbers."""

    sender: str
    receiver: str
    text: str


@dataclass(slots=True, eq=False)
class WhatsApp:
    """The codes that are shown now, the accounts whose phones list a device as linked, those whose
    phones have thrown it out, and what was said."""

    logins: dict[str, Login] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)
    thrown_out: set[str] = field(default_factory=set)
    said: list[Line] = field(default_factory=list)
    inboxes: dict[str, asyncio.Queue[Line]] = field(default_factory=dict)

    def begin(self, machine: str) -> Login:
        """A machine wants to be linked and shows its first code."""
        login = Login(machine)
        login.turn()
        self.logins[machine] = login
        return login

    def end(self, machine: str) -> None:
        """It shows no code any more."""
        self.logins.pop(machine, None)

    def scan(self, picture: str, account: str) -> bool:
        """A phone with that account looks at a picture; False if it is no code of now."""
        for login in self.logins.values():
            if login.picture == picture and not login.account:
                login.scanned(account)
                return True
        return False

    def inbox(self, account: str) -> asyncio.Queue[Line]:
        """What people write to an account, for the device linked to it."""
        return self.inboxes.setdefault(account, asyncio.Queue())

    def write(self, line: Line) -> None:
        """Somebody writes to somebody; a linked device of the receiver reads it."""
        self.said.append(line)
        if line.receiver in self.inboxes:
            self.inboxes[line.receiver].put_nowait(line)
