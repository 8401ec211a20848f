"""The Bot API answers bots as Telegram does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from queue import Queue
from uuid import uuid4

import httpx
import pytest

from farm.sandbox.wire import Json
from tests.sandbox.running import RunningSandbox

NADIA = 777
_numbers = count(1)


@dataclass
class Bot:
    """A bot of one test's own."""

    api: httpx.Client
    token: str
    username: str

    def call(self, method: str, **parameters: str | int) -> httpx.Response:
        """POST with JSON."""
        return self.api.post(f"/bot{self.token}/{method}", json=parameters)


@pytest.fixture
def bot(running: RunningSandbox, control: httpx.Client) -> Iterator[Bot]:
    username = f"t{uuid4().hex[:16]}_bot"
    made = control.post("/telegram/bots", json={"name": "Ada", "username": username}).json()
    with httpx.Client(base_url=running.report.services.telegram.endpoint, timeout=30) as api:
        yield Bot(api, made["token"], username)


def write(control: httpx.Client, bot: Bot, text: str, person: int = NADIA) -> None:
    """A person writes to the bot."""
    body: Json = {"bot": bot.username, "from": person, "name": "Nadia", "text": text}
    assert control.post("/telegram/messages", json=body).status_code == 201


def test_says_who_it_is(bot: Bot) -> None:
    for answer in (bot.call("getMe"), bot.api.get(f"/bot{bot.token}/getme")):
        assert answer.status_code == 200
        me = answer.json()["result"]
        assert (me["username"], me["is_bot"]) == (bot.username, True)


def test_the_ready_made_bot_works(running: RunningSandbox, bot: Bot) -> None:
    report = running.report.services.telegram
    me = bot.api.get(f"/bot{report.bot_token}/getMe").json()["result"]
    assert me["username"] == report.bot_username


@pytest.mark.parametrize(
    ("token", "code", "description"),
    [
        ("123456789:AAinvalidinvalidinvalidinvalid0", 401, "Unauthorized"),
        ("nonsense", 404, "Not Found"),
    ],
)
def test_refuses_a_token_it_does_not_know(
    bot: Bot, token: str, code: int, description: str
) -> None:
    answer = bot.api.get(f"/bot{token}/getMe")
    assert answer.status_code == code
    assert answer.json() == {"ok": False, "error_code": code, "description": description}


def test_an_unknown_method_is_not_found(bot: Bot) -> None:
    answer = bot.call("makeCoffee")
    assert answer.status_code == 404
    assert answer.json()["ok"] is False


def test_gets_updates_until_they_are_confirmed(bot: Bot, control: httpx.Client) -> None:
    write(control, bot, "one")
    write(control, bot, "/start two")
    first, second = bot.call("getUpdates").json()["result"]
    assert first["message"]["text"] == "one"
    assert first["message"]["from"] == {
        "id": NADIA,
        "is_bot": False,
        "first_name": "Nadia",
        "language_code": "en",
    }
    assert first["message"]["chat"] == {"id": NADIA, "first_name": "Nadia", "type": "private"}
    assert second["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert len(bot.call("getUpdates").json()["result"]) == 2
    later = bot.call("getUpdates", offset=first["update_id"] + 1).json()["result"]
    assert [update["update_id"] for update in later] == [second["update_id"]]
    assert bot.call("getUpdates", offset=second["update_id"] + 1).json()["result"] == []
    assert bot.call("getUpdates").json()["result"] == []


def test_a_negative_offset_keeps_the_last_ones(bot: Bot, control: httpx.Client) -> None:
    for word in ("one", "two", "three"):
        write(control, bot, word)
    texts = [u["message"]["text"] for u in bot.call("getUpdates", offset=-1).json()["result"]]
    assert texts == ["three"]
    assert len(bot.call("getUpdates").json()["result"]) == 1


def test_a_long_poll_is_woken_by_a_message(bot: Bot, control: httpx.Client) -> None:
    answers = _polling(bot, timeout=50)
    _wait_for_poll(control, bot)
    write(control, bot, "wake up")
    result = answers.get(timeout=20).json()["result"]
    assert [update["message"]["text"] for update in result] == ["wake up"]


def test_a_second_poller_ends_the_first_with_a_conflict(bot: Bot, control: httpx.Client) -> None:
    answers = _polling(bot, timeout=50)
    _wait_for_poll(control, bot)
    assert bot.call("getUpdates").status_code == 200
    ended = answers.get(timeout=20)
    assert ended.status_code == 409
    assert ended.json()["description"].startswith("Conflict: terminated by other getUpdates")
    assert _conflicts(control, bot) == 1


def test_a_poller_that_went_away_is_no_conflict(bot: Bot, control: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            bot.api.base_url.join(f"/bot{bot.token}/getUpdates"), json={"timeout": 50}, timeout=1
        )
    assert bot.call("getUpdates").status_code == 200
    assert _conflicts(control, bot) == 0


def test_a_poll_that_nobody_wakes_answers_nothing(bot: Bot) -> None:
    assert bot.call("getUpdates", timeout=1).json() == {"ok": True, "result": []}


def test_sends_to_people_who_wrote_first(bot: Bot, control: httpx.Client) -> None:
    stranger = 10_000_000 + next(_numbers)
    unknown = bot.call("sendMessage", chat_id=stranger, text="hi")
    assert (unknown.status_code, unknown.json()["description"]) == (
        400,
        "Bad Request: chat not found",
    )
    write(control, bot, "hello")
    sent = bot.call("sendMessage", chat_id=NADIA, text="<b>hi</b> &amp; bye", parse_mode="HTML")
    assert sent.json()["result"]["text"] == "hi & bye"
    form = bot.api.post(f"/bot{bot.token}/sendMessage", data={"chat_id": NADIA, "text": "form"})
    assert form.status_code == 200
    said = control.get("/telegram/messages", params={"bot": bot.token, "chat": NADIA}).json()
    assert [(m["by"], m["text"]) for m in said["messages"]] == [
        ("person", "hello"),
        ("bot", "hi & bye"),
        ("bot", "form"),
    ]


def test_a_bot_cannot_write_first(bot: Bot, control: httpx.Client) -> None:
    ready: Json = {"bot": "sandbox_ready_bot", "from": NADIA, "name": "Nadia", "text": "hi"}
    control.post("/telegram/messages", json=ready)
    answer = bot.call("sendMessage", chat_id=NADIA, text="hi")
    assert answer.status_code == 403


@pytest.mark.parametrize("text", ["", "  ", "x" * 4097])
def test_refuses_a_text_that_telegram_refuses(bot: Bot, control: httpx.Client, text: str) -> None:
    write(control, bot, "hello")
    assert bot.call("sendMessage", chat_id=NADIA, text=text).status_code == 400


def test_edits_and_deletes_its_messages(bot: Bot, control: httpx.Client) -> None:
    write(control, bot, "hello")
    number = bot.call("sendMessage", chat_id=NADIA, text="draft").json()["result"]["message_id"]
    edited = bot.call("editMessageText", chat_id=NADIA, message_id=number, text="final")
    assert edited.json()["result"]["text"] == "final"
    assert bot.call("deleteMessage", chat_id=NADIA, message_id=number).json()["result"] is True
    gone = bot.call("editMessageText", chat_id=NADIA, message_id=number, text="again")
    assert gone.status_code == 400


@pytest.mark.parametrize("method", ["deleteWebhook", "setMyCommands", "deleteMyCommands"])
def test_is_content_with_what_it_need_not_do(bot: Bot, method: str) -> None:
    assert bot.call(method).json() == {"ok": True, "result": True}


def test_shows_that_somebody_types(bot: Bot, control: httpx.Client) -> None:
    write(control, bot, "hello")
    assert bot.call("sendChatAction", chat_id=NADIA, action="typing").json()["result"] is True


@pytest.mark.parametrize("username", ["short", "no-dashes_bot", "x" * 40 + "bot", "nobody"])
def test_botfather_says_what_is_wrong_with_a_name(control: httpx.Client, username: str) -> None:
    answer = control.post("/telegram/bots", json={"name": "Ada", "username": username})
    assert answer.status_code == 422
    assert "username" in answer.json()["error"]


def test_a_username_is_given_once(bot: Bot, control: httpx.Client) -> None:
    again = control.post("/telegram/bots", json={"name": "B", "username": bot.username.upper()})
    assert again.status_code == 422
    assert "already taken" in again.json()["error"]


def test_a_fault_is_worded_as_telegram_words_it(bot: Bot, control: httpx.Client) -> None:
    order: Json = {"status": 429, "message": "Too Many Requests", "retry_after": 3}
    control.post("/faults", json={"kind": "telegram", "match": ["getMe"], "answer": order})
    refused = bot.call("getMe")
    assert refused.json()["parameters"] == {"retry_after": 3}
    assert bot.call("getMe").status_code == 200


def _polling(bot: Bot, *, timeout: int) -> Queue[httpx.Response]:
    answers: Queue[httpx.Response] = Queue()
    url = bot.api.base_url.join(f"/bot{bot.token}/getUpdates")

    def poll() -> None:
        answers.put(httpx.post(url, json={"timeout": timeout}, timeout=60))

    threading.Thread(target=poll, daemon=True).start()
    return answers


def _conflicts(control: httpx.Client, bot: Bot) -> int:
    """How often two read this bot at once."""
    bots = control.get("/telegram/bots").json()["bots"]
    (found,) = [int(known["conflicts"]) for known in bots if known["username"] == bot.username]
    return found


def _wait_for_poll(control: httpx.Client, bot: Bot) -> None:
    """Until the sandbox shows a long poll of this bot."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        bots = control.get("/telegram/bots").json()["bots"]
        if any(known["polling"] for known in bots if known["username"] == bot.username):
            return
    raise AssertionError("nobody polls")
