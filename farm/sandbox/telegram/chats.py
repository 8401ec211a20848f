"""Bots, people, and what they wrote to each other, kept in a file of their own."""

from __future__ import annotations

import re
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from farm.sandbox.clock import Clock
from farm.sandbox.wire import BadRequestError

READY_BOT = "sandbox_ready_bot"
MANAGER_BOT = "sandbox_manager_bot"
"""A bot in Bot Management Mode: people make bots from its link, and it is given their tokens."""
KEPT_MESSAGES = 20_000
_USERNAME = re.compile(r"[A-Za-z]\w{2,28}[Bb][Oo][Tt]")
_LONGEST_NAME = 64
_SCHEMA = """
CREATE TABLE IF NOT EXISTS bot (id INTEGER PRIMARY KEY, secret TEXT NOT NULL,
    username TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS person (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
    language TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, bot INTEGER NOT NULL,
    person INTEGER NOT NULL, by_bot INTEGER NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL,
    confirmed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS message_by_chat ON message (bot, person, id);
CREATE TABLE IF NOT EXISTS making (message INTEGER PRIMARY KEY, manager INTEGER NOT NULL,
    bot INTEGER NOT NULL UNIQUE);
"""
_MESSAGE = "id, bot, person, by_bot, text, at"


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot; its token is "ID:SECRET"."""

    id: int
    secret: str
    username: str
    name: str

    @property
    def token(self) -> str:
        """What whoever runs the bot signs in with."""
        return f"{self.id}:{self.secret}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a phone. `language` is a code such as "fr"."""

    id: int
    name: str
    language: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a private chat; `at` is in seconds since 1970, `id` also its update's id."""

    id: int
    bot: int
    person: int
    by_bot: bool
    text: str
    at: int


class Chats:
    """Everything Telegram would remember."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=NORMAL")
        self._base.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def ready_bot(self) -> Bot:
        """The bot that is there from the first start on."""
        return self.bot_named(READY_BOT) or self.create_bot("Sandbox bot", READY_BOT)

    def create_bot(self, name: str, username: str) -> Bot:
        """What BotFather does; BadRequestError says why not."""
        if not _USERNAME.fullmatch(username):
            raise BadRequestError(
                "A bot's username has 5 to 32 letters, digits or _, and ends in bot:"
                " choose such a one."
            )
        if not name.strip() or len(name) > _LONGEST_NAME:
            raise BadRequestError("A bot has a name of 1 to 64 characters: give one.")
        bot = Bot(
            secrets.randbelow(9 * 10**9) + 10**9, f"AA{secrets.token_hex(16)}0", username, name
        )
        try:
            self._base.execute(
                "INSERT INTO bot VALUES (?, ?, ?, ?)", (bot.id, bot.secret, username, name)
            )
        except sqlite3.IntegrityError:
            raise BadRequestError(
                f"The username {username} is already taken: choose another."
            ) from None
        return bot

    def manager_bot(self) -> Bot:
        """The bot from whose link others are made; it is there from the first start on."""
        return self.bot_named(MANAGER_BOT) or self.create_bot("Sandbox manager", MANAGER_BOT)

    def make_managed(self, manager: Bot, maker: Person, name: str, username: str) -> Bot:
        """What a person does who opens the manager's link; the manager hears of it."""
        bot = self.create_bot(name, username)
        told = self.say(manager, maker.id, "", by_bot=False)
        self._base.execute("INSERT INTO making VALUES (?, ?, ?)", (told.id, manager.id, bot.id))
        return bot

    def made_by(self, message: Message) -> Bot | None:
        """The bot whose making this update of a manager tells; None for any other message."""
        return self._bot("id = (SELECT bot FROM making WHERE message = ?)", (message.id,))

    def managed(self, manager: Bot, number: int) -> Bot | None:
        """The bot of that id, if it was made from this manager's link."""
        made = "id = ? AND id IN (SELECT bot FROM making WHERE manager = ?)"
        return self._bot(made, (number, manager.id))

    def bots(self) -> tuple[Bot, ...]:
        """All bots, by username."""
        return tuple(Bot(*row) for row in self._base.execute("SELECT * FROM bot ORDER BY username"))

    def bot(self, number: int, secret: str) -> Bot | None:
        """The bot of that token."""
        return self._bot("id = ? AND secret = ?", (number, secret))

    def bot_named(self, name: str) -> Bot | None:
        """The bot of that username, with or without @; a token names its bot as well."""
        if ":" in name:
            return self._bot("id || ':' || secret = ?", (name,))
        return self._bot("username = ?", (name.removeprefix("@"),))

    def _bot(self, condition: str, values: tuple[str | int, ...]) -> Bot | None:
        row = self._base.execute(f"SELECT * FROM bot WHERE {condition}", values).fetchone()  # noqa: S608
        return Bot(*row) if row else None

    def keep_person(self, person: Person) -> None:
        """Add them, or take over their new name and language."""
        self._base.execute(
            "INSERT INTO person VALUES (?, ?, ?) ON CONFLICT (id)"
            " DO UPDATE SET name = excluded.name, language = excluded.language",
            (person.id, person.name, person.language),
        )

    def people(self) -> tuple[Person, ...]:
        """All people, in the order they came."""
        return tuple(Person(*row) for row in self._base.execute("SELECT * FROM person ORDER BY id"))

    def person(self, number: int) -> Person | None:
        """The person of that id."""
        row = self._base.execute("SELECT * FROM person WHERE id = ?", (number,)).fetchone()
        return Person(*row) if row else None

    def say(self, bot: Bot, person: int, text: str, *, by_bot: bool) -> Message:
        """Add a message to the chat of these two."""
        at = int(self._clock.now().timestamp())
        added = self._base.execute(
            "INSERT INTO message (bot, person, by_bot, text, at) VALUES (?, ?, ?, ?, ?)",
            (bot.id, person, by_bot, text, at),
        ).lastrowid
        self._base.execute("DELETE FROM message WHERE id <= ?", ((added or 0) - KEPT_MESSAGES,))
        return Message(added or 0, bot.id, person, by_bot, text, at)

    def change(self, bot: Bot, person: int, number: int, text: str) -> Message | None:
        """The bot edits a message of its own; None if there is none."""
        self._base.execute(
            "UPDATE message SET text = ? WHERE id = ? AND bot = ? AND person = ? AND by_bot",
            (text, number, bot.id, person),
        )
        found = self._messages(
            "id = ? AND bot = ? AND person = ? AND by_bot", number, bot.id, person
        )
        return found[0] if found else None

    def remove(self, bot: Bot, person: int, number: int) -> bool:
        """The bot takes back a message; False if there is none."""
        removed = self._base.execute(
            "DELETE FROM message WHERE id = ? AND bot = ? AND person = ?", (number, bot.id, person)
        )
        return removed.rowcount > 0

    def chat(self, bot: Bot, person: int | None = None) -> tuple[Message, ...]:
        """Everything said to and by the bot, oldest first, with one person or with all."""
        if person is None:
            return self._messages("bot = ?", bot.id)
        return self._messages("bot = ? AND person = ?", bot.id, person)

    def waiting(self, bot: Bot, offset: int, limit: int) -> tuple[Message, ...]:
        """What people wrote that the bot has not confirmed, from update `offset` on."""
        unread = "bot = ? AND NOT by_bot AND NOT confirmed AND id >= ?"
        return self._messages(unread, bot.id, offset)[:limit]

    def confirm(self, bot: Bot, offset: int) -> None:
        """The bot has got all updates before `offset`; a negative one keeps only the last ones."""
        if offset < 0:
            kept = self.waiting(bot, 0, KEPT_MESSAGES)[offset:]
            offset = kept[0].id if kept else 0
        self._base.execute(
            "UPDATE message SET confirmed = 1 WHERE bot = ? AND id < ?", (bot.id, offset)
        )

    def _messages(self, condition: str, *values: int) -> tuple[Message, ...]:
        rows = self._base.execute(
            f"SELECT {_MESSAGE} FROM message WHERE {condition} ORDER BY id",  # noqa: S608
            values,
        )
        return tuple(Message(r[0], r[1], r[2], bool(r[3]), r[4], r[5]) for r in rows)
