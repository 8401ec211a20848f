"""Slack and WhatsApp on an agent's page: each state, nobody else's eyes, and no secret rendered."""

from __future__ import annotations

import pytest
from django.test import Client

from farm.accounts.models import Door
from farm.agents.models import Agent, SlackLink, TelegramLink, WhatsAppLink
from farm.agents.services import transfer_agent
from tests.farm.web import scenes
from tests.farm.web.channel_scenes import TOKENS, slack, whatsapp
from tests.farm.web.scenes import People

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def nino(people: People) -> Agent:
    """Alice's running agent."""
    return scenes.running(scenes.agent(people.alice))


@pytest.fixture
def alice(people: People) -> Client:
    """Alice's browser."""
    client = Client()
    client.force_login(people.alice)
    return client


def shown(client: Client, agent: Agent) -> str:
    """The agent's page."""
    return client.get(f"/agents/{agent.uid}/").content.decode()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (SlackLink.State.WAITING, "7K3QXY"),
        (SlackLink.State.LINKED, "It answers Zoé and nobody else."),
        (SlackLink.State.EXPIRED, "The code was not sent to the bot within half an hour."),
        (SlackLink.State.REFUSED, "Slack no longer takes the app"),
    ],
)
def test_each_state_of_slack_has_its_words_and_no_token(
    nino: Agent, alice: Client, state: SlackLink.State, words: str
) -> None:
    slack(nino, state)
    page = shown(alice, nino)
    assert words in page
    assert all(token not in page for token in TOKENS)


def test_a_new_app_comes_with_its_manifest(nino: Agent, alice: Client) -> None:
    page = shown(alice, nino)
    for words in ("socket_mode_enabled", "im:history", "chat:write", "connections:write"):
        assert words in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (WhatsAppLink.State.PREPARING, "I get its machine ready"),
        (WhatsAppLink.State.WAITING, "a second number is wise"),
        (WhatsAppLink.State.LINKED, "It answers +33612345678 and nobody else."),
        (WhatsAppLink.State.EXPIRED, "The code was not scanned in time."),
        (WhatsAppLink.State.LOGGED_OUT, "WhatsApp logged the agent out"),
        (WhatsAppLink.State.LEAVING, "being logged out"),
    ],
)
def test_each_state_of_whatsapp_has_its_words(
    nino: Agent, alice: Client, state: WhatsAppLink.State, words: str
) -> None:
    link = whatsapp(nino, state, account="+33699999999")
    page = shown(alice, nino)
    assert words in page
    assert not link.picture or link.picture not in page


def test_the_code_to_scan_is_an_image_for_the_members_eyes_only(
    nino: Agent, alice: Client, people: People
) -> None:
    whatsapp(nino, WhatsAppLink.State.WAITING)
    address = f"/agents/{nino.uid}/whatsapp/code/"
    answer = alice.get(address)
    assert answer["Content-Type"] == "image/png"
    assert answer.content.startswith(PNG)
    stranger = Client()
    assert stranger.get(address).status_code == 302
    stranger.force_login(people.charlie)
    assert stranger.get(address).status_code == 404
    WhatsAppLink.objects.update(state=WhatsAppLink.State.LINKED)
    assert alice.get(address).status_code == 404


def test_a_part_that_looks_as_it_did_is_not_sent_again(nino: Agent, alice: Client) -> None:
    link = whatsapp(nino, WhatsAppLink.State.WAITING)
    address = f"/agents/{nino.uid}/whatsapp/"
    page = alice.get(address, headers={"HX-Request": "true"}).content.decode()
    seen = page.partition("?seen=")[2].partition('"')[0]
    again = alice.get(f"{address}?seen={seen}", headers={"HX-Request": "true"})
    assert again.status_code == 204
    WhatsAppLink.objects.filter(pk=link.pk).update(state=WhatsAppLink.State.LINKED)
    changed = alice.get(f"{address}?seen={seen}", headers={"HX-Request": "true"})
    assert "is linked" in changed.content.decode()


def test_a_wrong_number_is_told_at_its_field_and_stays_there(nino: Agent, alice: Client) -> None:
    wish = {"whatsapp_number": "06 12 34"}
    answer = alice.post(f"/agents/{nino.uid}/whatsapp/link/", wish)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "such as +33 6 12 34 56 78" in page
    assert 'value="06 12 34"' in page
    right = alice.post(f"/agents/{nino.uid}/whatsapp/link/", {"whatsapp_number": "+33612345678"})
    assert right.status_code == 302
    assert WhatsAppLink.objects.get().number == "+33612345678"


def test_tokens_of_another_shape_are_told_at_their_fields(nino: Agent, alice: Client) -> None:
    for bot, app, field in (("xapp-1", "xapp-1", "bot"), ("xoxb-1", "xoxb-1", "app")):
        wish = {"slack_bot_token": bot, "slack_app_token": app}
        answer = alice.post(f"/agents/{nino.uid}/slack/link/", wish)
        assert answer.status_code == 422
        assert f'id="slack_{field}_error"' in answer.content.decode()


def test_secrets_are_unreadable_in_the_database(nino: Agent) -> None:
    slack(nino, SlackLink.State.WAITING)
    link = whatsapp(nino, WhatsAppLink.State.WAITING)
    stored = [
        *SlackLink.objects.extra(select={"raw": "bot_token || app_token"}).values_list("raw"),
        *WhatsAppLink.objects.extra(select={"raw": "picture"}).values_list("raw"),
    ]
    assert all(secret not in str(stored) for secret in (*TOKENS, link.picture))


def test_who_hands_the_agent_over_takes_their_chat_apps_along(nino: Agent, people: People) -> None:
    slack(nino, SlackLink.State.LINKED)
    whatsapp(nino, WhatsAppLink.State.LINKED, account="+33699999999")
    transfer_agent(actor=people.alice, door=Door.WEB, agent=nino, to=people.bob)
    assert not SlackLink.objects.exists()
    assert not TelegramLink.objects.exists()
    assert WhatsAppLink.objects.get().state == WhatsAppLink.State.LEAVING
