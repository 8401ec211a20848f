"""A bot given to an agent: a code instead of a numeric id, one reader, and hello there too."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import pytest

from tests.farm.matrix.farms import Farm, wait_until
from tests.farm.matrix.verdicts import answers, one_running

NADIA = 4242
STATE = "SELECT state FROM agents_telegramlink"
CODE = "SELECT code FROM agents_telegramlink"


@pytest.fixture
def bot(farm: Farm) -> str:
    """A bot's token, fresh from BotFather."""
    name = f"t{uuid4().hex[:16]}_bot"
    made = farm.control.post("/telegram/bots", json={"name": "Ada", "username": name})
    made.raise_for_status()
    token: str = made.json()["token"]
    return token


def write(farm: Farm, bot: str, text: str, *, person: int = NADIA) -> None:
    """Somebody writes to the bot."""
    wish = {"bot": bot, "from": person, "name": "Nadia", "text": text}
    farm.control.post("/telegram/messages", json=wish).raise_for_status()


def said(farm: Farm, bot: str, *, person: int = NADIA) -> Sequence[str]:
    """What the bot said to somebody."""
    answer = farm.control.get("/telegram/messages", params={"bot": bot, "chat": person})
    answer.raise_for_status()
    return [message["text"] for message in answer.json()["messages"] if message["by"] == "bot"]


def test_whoever_sends_the_code_is_greeted_there_and_in_the_page_and_nobody_else(
    farm: Farm, bot: str
) -> None:
    farm.start_worker()
    farm.wish("ask", bot_token=bot)
    write(farm, bot, f"my code is {farm.ask(CODE).lower()}")
    one_running(farm)
    assert farm.ask(STATE) == "linked"
    first = farm.ask("SELECT text FROM agents_message ORDER BY id LIMIT 1")
    wait_until("it says hello", lambda: first in said(farm, bot))
    write(farm, bot, "bonjour")
    wait_until("the agent answers there", lambda: len(said(farm, bot)) > 1)
    assert said(farm, bot).count(first) == 1
    write(farm, bot, "let me in", person=666)
    write(farm, bot, "encore")
    wait_until("the agent answers again", lambda: len(said(farm, bot)) > 2)
    assert said(farm, bot, person=666) == []


def test_a_bot_linked_to_a_running_agent_is_set_up_and_greets(farm: Farm, bot: str) -> None:
    farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    farm.wish("link", bot_token=bot)
    write(farm, bot, farm.ask(CODE))
    wait_until("it is linked", lambda: farm.ask(STATE) == "linked")
    wait_until("it says hello", lambda: bool(said(farm, bot)))
    assert farm.phase() == "running"
    assert "reconfigured" in farm.codes()
    answers(farm)


@pytest.mark.parametrize("text", ["AAAAAA", "AAAAAA {code}"], ids=["wrong", "one-of-many"])
def test_a_wrong_code_and_many_at_once_link_nobody(farm: Farm, bot: str, text: str) -> None:
    farm.start_worker()
    farm.wish("ask", bot_token=bot)
    write(farm, bot, text.format(code=farm.ask(CODE)))
    one_running(farm)
    offset = "SELECT update_offset > 0 FROM agents_telegramlink"
    wait_until("it was read", lambda: farm.ask(offset) == "1")
    assert farm.ask(STATE) == "waiting"


@pytest.mark.parametrize("token", ["no token", "12345:" + "x" * 35])
def test_a_token_that_is_none_is_refused_at_its_field(farm: Farm, token: str) -> None:
    with pytest.raises(AssertionError, match="telegram_bot_token"):
        farm.wish("ask", bot_token=token)


def test_a_bot_that_is_given_again_is_let_go_by_the_machine_first(farm: Farm, bot: str) -> None:
    farm.start_worker()
    farm.wish("ask", bot_token=bot)
    write(farm, bot, farm.ask(CODE))
    one_running(farm)
    farm.wish("link", bot_token=bot)
    wait_until("the machine let it go", lambda: "reconfigured" in farm.codes())
    write(farm, bot, farm.ask(CODE))
    wait_until("it is linked again", lambda: farm.ask(STATE) == "linked")


def test_no_bot_is_given_to_an_agent_that_goes(farm: Farm, bot: str) -> None:
    farm.wish("ask")
    farm.wish("delete")
    with pytest.raises(AssertionError, match="agent_gone"):
        farm.wish("link", bot_token=bot)
    assert farm.ask("SELECT count(*) FROM agents_telegramlink") == "0"


def make(farm: Farm, username: str, *, person: int = NADIA) -> None:
    """Somebody opens the manager's link and makes the bot."""
    wish = {"manager": "sandbox_manager_bot", "username": username, "from": person, "name": "Nadia"}
    farm.control.post("/telegram/managed", json=wish).raise_for_status()


def test_whoever_makes_the_offered_bot_is_linked_without_a_code(farm: Farm) -> None:
    farm.start_worker()
    farm.wish("ask")
    offered = farm.wish("offer_telegram")
    make(farm, f"another_{uuid4().hex[:12]}_bot", person=666)
    make(farm, offered)
    one_running(farm)
    wait_until("it is linked", lambda: farm.ask(STATE) == "linked")
    assert farm.ask("SELECT user_id FROM agents_telegramlink") == str(NADIA)
    write(farm, offered, "/start")
    wait_until("it says hello", lambda: bool(said(farm, offered)))
    write(farm, offered, "let me in", person=666)
    write(farm, offered, "bonjour")
    wait_until("the agent answers there", lambda: len(said(farm, offered)) > 1)
    assert said(farm, offered, person=666) == []


def test_a_bot_that_nobody_makes_is_offered_for_half_an_hour(farm: Farm) -> None:
    farm.wish("ask")
    farm.wish("offer_telegram")
    farm.wish("age_links", minutes="31")
    farm.start_worker()
    wait_until("it ran out", lambda: farm.ask(STATE) == "expired")


def test_an_idle_agent_does_not_fall_asleep_while_it_answers_there(farm: Farm, bot: str) -> None:
    farm.start_worker()
    farm.wish("ask", bot_token=bot)
    write(farm, bot, farm.ask(CODE))
    one_running(farm)
    wait_until("it says hello", lambda: bool(said(farm, bot)))
    before = len(said(farm, bot))
    write(farm, bot, "lance la commande `sleep 15`")
    wait_until("it thinks", lambda: "sleep 15" in farm.control.get("/model/log").text)
    farm.wish("sleep_when_idle")
    due = farm.ask("SELECT due_at FROM agents_schedule")
    wait_until("it was looked at", lambda: farm.ask("SELECT due_at FROM agents_schedule") != due)
    assert farm.ask("SELECT wanted FROM agents_agent") == "running"
    wait_until("it answers", lambda: len(said(farm, bot)) > before)
