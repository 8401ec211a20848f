"""The mails that arrived, kept in a file of their own."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

from farm.sandbox.clock import Clock

KEPT_MAILS = 1000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (id INTEGER PRIMARY KEY, at TEXT NOT NULL, sender TEXT NOT NULL,
    recipients TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, html TEXT NOT NULL)
"""
_COLUMNS = "id, at, sender, recipients, subject, text, html"
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")
_Row = tuple[int, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail; `to` is whom it was delivered to, `text` is readable also where only HTML came."""

    id: int
    at: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str


class Mails:
    """All mails of one sandbox; the oldest go when there are more than KEPT_MAILS."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=NORMAL")
        self._base.execute(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def deliver(self, content: bytes, recipients: tuple[str, ...]) -> int:
        """Keep one mail as it came over SMTP; answers its id."""
        mail = message_from_bytes(content, policy=policy.default)
        text, html = _bodies(mail)
        added = self._base.execute(
            "INSERT INTO mail (at, sender, recipients, subject, text, html)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                self._clock.now().isoformat(),
                _header(mail, "From"),
                "\n".join(address.lower() for address in recipients),
                _header(mail, "Subject"),
                text,
                html,
            ),
        ).lastrowid
        self._base.execute("DELETE FROM mail WHERE id <= ?", ((added or 0) - KEPT_MAILS,))
        return added or 0

    def newest(self, *, to: str = "", limit: int = 100) -> tuple[Mail, ...]:
        """The newest mails first, only those delivered to the address `to` if one is given."""
        rows: list[_Row] = self._base.execute(
            f"SELECT {_COLUMNS} FROM mail"  # noqa: S608  (a constant)
            " WHERE ? = '' OR instr(char(10) || recipients || char(10), char(10) || ? || char(10))"
            " ORDER BY id DESC LIMIT ?",
            (to, to.lower(), limit),
        ).fetchall()
        return tuple(_mail(row) for row in rows)

    def find(self, number: int) -> Mail | None:
        """The mail of that id."""
        row: _Row | None = self._base.execute(
            f"SELECT {_COLUMNS} FROM mail WHERE id = ?",  # noqa: S608  (a constant)
            (number,),
        ).fetchone()
        return _mail(row) if row else None

    def clear(self) -> None:
        """Throw all of them away."""
        self._base.execute("DELETE FROM mail")


class _Text(HTMLParser):
    """The words of an HTML mail, with the addresses of its links."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "script")
        if tag in ("p", "br", "div", "tr", "li", "h1", "h2", "h3"):
            self.words.append("\n")
        self.words += [f" {value} " for name, value in attrs if tag == "a" and name == "href"]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if self._hidden <= 0:
            self.words.append(data)


def _mail(row: _Row) -> Mail:
    number, at, sender, recipients, subject, text, html = row
    return Mail(number, at, sender, tuple(recipients.split("\n")), subject, text, html)


def _header(mail: EmailMessage, name: str) -> str:
    # A broken header must not lose the mail: it is shown as far as it can be read.
    try:
        return str(mail.get(name, ""))
    except (ValueError, LookupError, AttributeError):
        return ""


def _bodies(mail: EmailMessage) -> tuple[str, str]:
    """The readable text and the HTML, "" where there is none."""
    text, html = _part(mail, "plain"), _part(mail, "html")
    return text or _words_of(html), html


def _part(mail: EmailMessage, kind: str) -> str:
    for part in mail.walk():
        if part.get_content_type() == f"text/{kind}":
            content = part.get_payload(decode=True)
            return _decoded(content, part.get_content_charset()) if content else ""
    return ""


def _decoded(content: object, charset: str | None) -> str:
    raw = content if isinstance(content, bytes) else b""
    try:
        return raw.decode(charset or "utf-8", "replace").replace("\r\n", "\n")
    except LookupError:
        return raw.decode("utf-8", "replace").replace("\r\n", "\n")


def _words_of(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    return _BLANK_LINES.sub("\n\n", "".join(reader.words)).strip()
