"""What the pages of an agent say and keep to themselves, and what its owner can do there."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from farm.agents.models import Agent, AgentPhase, Message, TelegramLink
from tests.farm.web import scenes

HOSTILE = "<script>alert(1)</script><a href='javascript:x'>y</a>\n{{ settings }} {% now %}"
PARTS = {"HX-Request": "true"}


def page(client: Client, agent: Agent, path: str = "", **query: str) -> str:
    """One of its pages."""
    return client.get(f"/agents/{agent.uid}/{path}", query).content.decode()


def test_the_wait_shows_its_lines(people: scenes.People, alice: Client) -> None:
    shown = page(alice, scenes.waiting(scenes.agent(people.alice), done=2))
    assert shown.count('class="step done"') == 2
    assert shown.count('class="step under_way"') == 1
    assert shown.count('class="step waiting"') == 2
    assert 'hx-trigger="every 1s"' in shown


def test_the_wait_says_why_and_what_next(people: scenes.People, alice: Client) -> None:
    row = scenes.waiting(scenes.agent(people.alice), done=0, reason="sold_out")
    for shown in (page(alice, row), page(alice, row, "progress/", on="wait")):
        assert "No machine of this size is free" in shown
        assert "every 5 minutes" in shown


def test_the_page_becomes_the_home_by_itself(people: scenes.People, alice: Client) -> None:
    row = scenes.waiting(scenes.agent(people.alice), done=4)
    asked = f"/agents/{row.uid}/progress/?on=wait"
    assert alice.get(asked, headers=PARTS).status_code == 200
    row.phase = AgentPhase.RUNNING
    row.save()
    answer = alice.get(asked, headers=PARTS)
    assert (answer.status_code, answer["HX-Trigger"]) == (204, "farm-changed")


def test_a_failure_has_a_way_back(people: scenes.People, alice: Client) -> None:
    row = scenes.failed(scenes.agent(people.alice), detail="<i>server_error</i>")
    shown = page(alice, row)
    assert "Several machines in a row did not come up" in shown
    assert "&lt;i&gt;server_error" in shown
    assert alice.post(f"/agents/{row.uid}/retry/").status_code == 302
    row.refresh_from_db()
    assert row.generation == 2


def test_a_running_agent_is_not_tried_again(people: scenes.People, alice: Client) -> None:
    row = scenes.running(scenes.agent(people.alice))
    answer = alice.post(f"/agents/{row.uid}/retry/", follow=True)
    assert "Only an agent that failed can be tried again." in answer.content.decode()


def test_what_an_agent_says_is_text_and_nothing_else(people: scenes.People, alice: Client) -> None:
    row = scenes.running(scenes.agent(people.alice))
    scenes.says(row, Message.Author.AGENT, HOSTILE)
    for shown in (page(alice, row), page(alice, row, "conversation/")):
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert(1)" in shown
        assert "javascript:x'>" not in shown


def test_no_page_shows_a_secret(people: scenes.People, alice: Client) -> None:
    row = scenes.running(scenes.agent(people.alice))
    scenes.telegram(row, TelegramLink.State.LINKED)
    for path in ("", "conversation/", "telegram/", "delete/"):
        assert "kept-from-pages" not in page(alice, row, path)


def test_opening_carries_the_token_in_the_fragment_only(
    people: scenes.People, alice: Client
) -> None:
    row = scenes.running(scenes.agent(people.alice))
    address = alice.get(f"/agents/{row.uid}/open/")["Location"]
    before, _, fragment = address.partition("#")
    assert before == f"http://{row.host}.agents.localhost:8001/"
    assert "kept-from-pages" in fragment


def test_an_agent_that_sleeps_is_not_opened(people: scenes.People, alice: Client) -> None:
    row = scenes.waiting(scenes.agent(people.alice), done=1)
    assert alice.get(f"/agents/{row.uid}/open/")["Location"] == f"/agents/{row.uid}/"


def test_saying_something(people: scenes.People, alice: Client) -> None:
    row = scenes.running(scenes.agent(people.alice))
    say = f"/agents/{row.uid}/say/"
    shown = alice.post(say, {"text": "Bonjour\r\n  toi"}, headers=PARTS).content.decode()
    assert "Bonjour\n  toi" in shown
    assert "is at it" in shown
    assert 'class="chip"' not in shown
    assert alice.post(say, {"text": "sans script"})["Location"] == f"/agents/{row.uid}/"
    assert row.messages.filter(author=Message.Author.MEMBER).count() == 2


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 20_001])
def test_what_cannot_be_said_stays_in_its_field(
    people: scenes.People, alice: Client, text: str
) -> None:
    row = scenes.running(scenes.agent(people.alice))
    answer = alice.post(f"/agents/{row.uid}/say/", {"text": text}, headers=PARTS)
    assert answer.status_code == 422
    assert answer["HX-Retarget"] == "#say_error"
    plain = alice.post(f"/agents/{row.uid}/say/", {"text": text}, follow=True)
    assert answer.content.decode() in plain.content.decode()


def test_sending_again_what_failed(people: scenes.People, alice: Client) -> None:
    row = scenes.running(scenes.agent(people.alice))
    line = scenes.says(row, Message.Author.MEMBER, "Hm?", Message.State.UNKNOWN, "turn_interrupted")
    again = f"/agents/{row.uid}/say/{line.pk}/again/"
    assert again in page(alice, row)
    assert alice.post(again).status_code == 302
    assert row.messages.filter(text="Hm?").count() == 2


def test_a_conversation_that_stands_still_costs_nothing(
    people: scenes.People, alice: Client
) -> None:
    row = scenes.running(scenes.agent(people.alice))
    shown = page(alice, row, "conversation/")
    seen = shown.partition("?seen=")[2].partition('"')[0]
    asked = f"/agents/{row.uid}/conversation/?seen={seen}"
    assert alice.get(asked).status_code == 204
    scenes.says(row, Message.Author.AGENT, "Encore moi")
    assert "Encore moi" in alice.get(asked).content.decode()


def test_a_wrong_bot_token_is_told_at_its_field(people: scenes.People, alice: Client) -> None:
    row = scenes.running(scenes.agent(people.alice))
    fields = {"telegram_bot_token": "no token at all"}
    for headers in (PARTS, {}):
        answer = alice.post(f"/agents/{row.uid}/telegram/link/", fields, headers=headers)
        assert answer.status_code == 422
        assert 'id="telegram_error"' in answer.content.decode()
        assert "no token at all" not in answer.content.decode()


def test_telegram_from_code_to_linked(people: scenes.People, alice: Client) -> None:
    row = scenes.running(scenes.agent(people.alice))
    link = scenes.telegram(row, TelegramLink.State.WAITING)
    shown = page(alice, row, "telegram/")
    assert "7K2QXA" in shown
    assert "https://t.me/nino_alice_bot?start=7K2QXA" in shown
    link.state, link.user_name = TelegramLink.State.LINKED, "Alice"
    link.save()
    assert "Telegram is linked" in page(alice, row, "telegram/")
    alice.post(f"/agents/{row.uid}/telegram/unlink/")
    assert not TelegramLink.objects.exists()


def test_deleting_names_what_is_lost_and_wants_a_tick(people: scenes.People, alice: Client) -> None:
    row = scenes.running(scenes.agent(people.alice))
    scenes.telegram(row, TelegramLink.State.LINKED)
    shown = page(alice, row, "delete/")
    for lost in ("every file", "your conversation, 1 line<", "@nino_alice_bot", "its address"):
        assert lost in shown
    address = f"/agents/{row.uid}/delete/"
    assert alice.post(address).status_code == 422
    row.refresh_from_db()
    assert row.wanted == Agent.Wanted.RUNNING
    assert alice.post(address, {"sure": "yes"})["Location"] == f"/agents/{row.uid}/"
    assert "is being deleted" in page(alice, row)
    assert alice.post(address, {"sure": "yes"}).status_code == 302


def test_gone_is_said_once_the_provider_shows_it(people: scenes.People, alice: Client) -> None:
    row = scenes.deleting(scenes.running(scenes.agent(people.alice)))
    assert f"{row.name} is gone" not in page(alice, row)
    other = scenes.gone(scenes.running(scenes.agent(people.alice, "Iris")))
    shown = page(alice, other)
    assert "Iris is gone" in shown
    assert "0.0237\xa0EUR" in shown


def queries_for(client: Client, path: str) -> int:
    """How often a page asks the database."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def test_the_list_asks_no_more_for_more_agents(people: scenes.People, alice: Client) -> None:
    assert "No agent yet" in alice.get("/agents/").content.decode()
    scenes.running(scenes.agent(people.alice))
    for_one = queries_for(alice, "/agents/")
    for number in range(12):
        scenes.running(scenes.agent(people.alice, f"Nino{number}"))
    assert queries_for(alice, "/agents/") == for_one
    assert alice.get("/agents/").content.decode().count("0.0237\xa0EUR") == 13


@pytest.mark.parametrize("path", ["", "conversation/"])
def test_a_long_conversation_asks_no_more_than_a_short_one(
    people: scenes.People, alice: Client, path: str
) -> None:
    row = scenes.running(scenes.agent(people.alice))
    address = f"/agents/{row.uid}/{path}"
    for_one = queries_for(alice, address)
    for number in range(40):
        scenes.says(row, Message.Author.MEMBER, str(number))
    assert queries_for(alice, address) <= for_one
