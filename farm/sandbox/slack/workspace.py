"""The one workspace: apps with their bots, people, and what they wrote, kept in a file."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from farm.sandbox.clock import Clock
from farm.sandbox.wire import BadRequestError

TEAM_ID, TEAM = "T0SANDBOX", "Sandbox"
READY_APP = "Sandbox app"
KEPT_MESSAGES = 20_000
BOT_SCOPES = ("chat:write", "im:history", "im:read", "im:write", "users:read")
APP_SCOPE = "connections:write"
_LONGEST_NAME = 80
_SCHEMA = """
CREATE TABLE IF NOT EXISTS app (id TEXT PRIMARY KEY, name TEXT NOT NULL, bot TEXT NOT NULL,
    bot_user TEXT NOT NULL, bot_token TEXT NOT NULL, app_token TEXT NOT NULL, scopes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS person (id TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT NOT NULL,
    person TEXT NOT NULL, by_bot INTEGER NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS message_by_chat ON message (app, person, id);
"""
_APP = "id, name, bot, bot_user, bot_token, app_token, scopes"


@dataclass(frozen=True, slots=True)
class App:
    """An installed app; its bot is a user of the workspace, `scopes` is what it may do."""

    id: str
    name: str
    bot: str
    bot_user: str
    bot_token: str
    app_token: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the workspace."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a direct chat; `at` is in seconds since 1970."""

    id: int
    app: str
    person: str
    by_bot: bool
    text: str
    at: int

    @property
    def ts(self) -> str:
        """Its name in the chat, as Slack writes it."""
        return f"{self.at}.{self.id % 1_000_000:06d}"


def chat_of(app: App, person: str) -> str:
    """The id of the direct chat of these two."""
    return f"D{app.id.removeprefix('A')}{person.removeprefix('U')}"


class Workspace:
    """Everything Slack would remember."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=NORMAL")
        self._base.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def ready_app(self) -> App:
        """The app that is there from the first start on."""
        found = next((app for app in self.apps() if app.name == READY_APP), None)
        return found or self.install(READY_APP)

    def install(self, name: str, scopes: frozenset[str] = frozenset(BOT_SCOPES)) -> App:
        """What creating an app, installing it and making its app-level token gives."""
        if not name.strip() or len(name) > _LONGEST_NAME:
            raise BadRequestError("An app has a name of 1 to 80 characters: give one.")
        number = secrets.token_hex(4).upper()
        app = App(
            id=f"A{number}",
            name=name,
            bot=f"B{number}",
            bot_user=f"U{number}",
            bot_token=f"xoxb-{secrets.randbelow(10**12)}-{secrets.token_hex(12)}",
            app_token=f"xapp-1-A{number}-{secrets.randbelow(10**12)}-{secrets.token_hex(32)}",
            scopes=scopes | {APP_SCOPE},
        )
        row = (app.id, name, app.bot, app.bot_user, app.bot_token, app.app_token)
        self._base.execute(
            "INSERT INTO app VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, " ".join(sorted(app.scopes)))
        )
        return app

    def allow(self, app: App, scopes: frozenset[str]) -> None:
        """Change what the app may do, as installing it again would."""
        granted = " ".join(sorted(scopes))
        self._base.execute("UPDATE app SET scopes = ? WHERE id = ?", (granted, app.id))

    def apps(self) -> tuple[App, ...]:
        """All apps, by name."""
        return self._apps("1 ORDER BY name", ())

    def app_with(self, token: str) -> App | None:
        """The app of that bot's or app-level token."""
        found = self._apps("bot_token = ? OR app_token = ?", (token, token))
        return found[0] if found else None

    def app(self, number: str) -> App | None:
        """The app of that id."""
        found = self._apps("id = ?", (number,))
        return found[0] if found else None

    def join(self, name: str, number: str = "") -> Person:
        """Somebody in the workspace; a known id gets the new name."""
        person = Person(number or f"U{secrets.token_hex(4).upper()}", name or "Somebody")
        self._base.execute(
            "INSERT INTO person VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            (person.id, person.name),
        )
        return person

    def people(self) -> tuple[Person, ...]:
        """All members, by name."""
        rows = self._base.execute("SELECT id, name FROM person ORDER BY name")
        return tuple(Person(*row) for row in rows)

    def person(self, number: str) -> Person | None:
        """The member of that id."""
        row = self._base.execute("SELECT id, name FROM person WHERE id = ?", (number,)).fetchone()
        return Person(*row) if row else None

    def say(self, app: App, person: str, text: str, *, by_bot: bool) -> Message:
        """Add a message to the direct chat of these two."""
        at = int(self._clock.now().timestamp())
        added = self._base.execute(
            "INSERT INTO message (app, person, by_bot, text, at) VALUES (?, ?, ?, ?, ?)",
            (app.id, person, by_bot, text, at),
        ).lastrowid
        self._base.execute("DELETE FROM message WHERE id <= ?", ((added or 0) - KEPT_MESSAGES,))
        return Message(added or 0, app.id, person, by_bot, text, at)

    def change(self, app: App, ts: str, text: str) -> None:
        """The bot edits a message of its own."""
        number = int(ts.partition(".")[2] or 0)
        self._base.execute(
            "UPDATE message SET text = ? WHERE app = ? AND by_bot AND id % 1000000 = ?",
            (text, app.id, number),
        )

    def chat(self, app: App, person: str) -> tuple[Message, ...]:
        """Everything these two said, oldest first."""
        rows = self._base.execute(
            "SELECT id, app, person, by_bot, text, at FROM message WHERE app = ? AND person = ?"
            " ORDER BY id",
            (app.id, person),
        )
        return tuple(Message(r[0], r[1], r[2], bool(r[3]), r[4], r[5]) for r in rows)

    def partners(self, app: App) -> tuple[str, ...]:
        """Who ever wrote with the bot."""
        rows = self._base.execute("SELECT DISTINCT person FROM message WHERE app = ?", (app.id,))
        return tuple(row[0] for row in rows)

    def _apps(self, condition: str, values: tuple[str, ...]) -> tuple[App, ...]:
        rows = self._base.execute(f"SELECT {_APP} FROM app WHERE {condition}", values)  # noqa: S608
        return tuple(App(r[0], r[1], r[2], r[3], r[4], r[5], frozenset(r[6].split())) for r in rows)
