"""Every address of an agent: its owner, who answers for the account, a team mate, a stranger."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import URLPattern

from farm.accounts.models import Membership, Role
from farm.agents.models import Agent, Message
from farm.web.urls import urlpatterns
from tests.farm.web import scenes
from tests.farm.web.conftest import logged_in

# Address under /agents/UID/, and whether it is a write; "PK" stands for a line that failed.
READS = (
    "",
    "progress/?on=home",
    "conversation/",
    "telegram/",
    "delete/",
    "open/",
    "transfer/",
    "payer/",
    "backups/",
)
WRITES = (
    "say/",
    "say/PK/again/",
    "retry/",
    "restart/",
    "transfer/",
    "payer/",
    "telegram/link/",
    "telegram/unlink/",
    "delete/",
    "delete/again/",
    "delete/unsaved/",
    "backups/new/",
)


@pytest.fixture
def nino(people: scenes.People) -> Agent:
    """Alice's agent, running; its last line failed."""
    row = scenes.running(scenes.agent(people.alice))
    scenes.says(row, Message.Author.MEMBER, "Hello?", Message.State.FAILED, "turn_failed")
    return row


def address(nino: Agent, path: str) -> str:
    """The path of one of its pages."""
    return f"/agents/{nino.uid}/{path.replace('PK', str(nino.messages.latest('pk').pk))}"


def state_of(nino: Agent) -> tuple[str, int, int, int]:
    """What no stranger may change."""
    nino.refresh_from_db()
    return nino.wanted, nino.generation, nino.messages.count(), nino.events.count()


def addresses() -> list[str]:
    """Every address of an agent that the site knows; what else stands in one is made up."""
    known = [str(one.pattern) for one in urlpatterns if isinstance(one, URLPattern)]
    mine = [path for path in known if path.startswith("agents/<slug:uid>/")]
    return [re.sub(r"<int:\w+>", "1", path.removeprefix("agents/<slug:uid>/")) for path in mine]


@pytest.mark.parametrize("path", addresses())
def test_at_no_address_there_is_anything_for_others(
    bob: Client, charlie: Client, nino: Agent, path: str
) -> None:
    before = state_of(nino)
    made_up = re.sub(r"<\w+:\w+>", "abcdefgh2345", path)
    for stranger in (bob, charlie):
        for ask in (stranger.get, stranger.post):
            assert ask(address(nino, made_up), {"text": "hi"}).status_code in (404, 405)
    assert state_of(nino) == before


@pytest.mark.parametrize("path", READS)
def test_the_owner_reads(alice: Client, nino: Agent, path: str) -> None:
    answer = alice.get(address(nino, path))
    assert answer.status_code == (302 if path == "open/" else 200)


@pytest.mark.parametrize("path", READS)
def test_others_find_nothing_to_read(bob: Client, charlie: Client, nino: Agent, path: str) -> None:
    assert bob.get(address(nino, path)).status_code == 404
    assert charlie.get(address(nino, path)).status_code == 404


@pytest.mark.parametrize("path", WRITES)
def test_others_find_nothing_to_change(
    bob: Client, charlie: Client, nino: Agent, path: str
) -> None:
    before = state_of(nino)
    fields = {"text": "hello", "sure": "yes", "telegram_bot_token": "1:x"}
    for stranger in (bob, charlie):
        assert stranger.post(address(nino, path), fields).status_code == 404
    assert state_of(nino) == before


@pytest.mark.parametrize("path", [*READS, *WRITES])
def test_nobody_gets_in_without_logging_in(nino: Agent, path: str) -> None:
    before = state_of(nino)
    for ask in (Client().get, Client().post):
        answer = ask(address(nino, path))
        assert answer["Location"].startswith("/account/login/?next=/agents/")
    assert state_of(nino) == before


@pytest.mark.parametrize("path", WRITES)
def test_nothing_is_changed_by_reading(alice: Client, nino: Agent, path: str) -> None:
    before = state_of(nino)
    answer = alice.get(address(nino, path))
    assert answer.status_code == (200 if path in ("delete/", "transfer/", "payer/") else 405)
    assert state_of(nino) == before


@pytest.mark.parametrize("path", WRITES)
def test_no_other_site_acts_in_a_persons_name(
    people: scenes.People, nino: Agent, path: str
) -> None:
    before = state_of(nino)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.alice, "allauth.account.auth_backends.AuthenticationBackend")
    answer = browser.post(address(nino, path), {"text": "hello", "sure": "yes"})
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()
    assert state_of(nino) == before


def test_who_answers_for_the_account_may_help(people: scenes.People, nino: Agent) -> None:
    Membership.objects.filter(user=people.bob).update(role=Role.ADMIN)
    browser = logged_in(people.bob)
    assert "Alice" in browser.get(address(nino, "")).content.decode()
    assert browser.post(address(nino, "delete/"), {"sure": "yes"}).status_code == 302
    assert state_of(nino)[0] == Agent.Wanted.DELETED


def test_a_line_of_another_agent_is_not_sent_again(
    people: scenes.People, alice: Client, nino: Agent
) -> None:
    other = scenes.running(scenes.agent(people.charlie, "Iris"))
    line = scenes.says(other, Message.Author.MEMBER, "Secret", Message.State.FAILED, "turn_failed")
    assert alice.post(f"/agents/{nino.uid}/say/{line.pk}/again/").status_code == 404


def test_a_lost_log_in_reloads_the_page_that_asks_by_itself(nino: Agent) -> None:
    answer = Client().get(address(nino, "progress/"), headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")
