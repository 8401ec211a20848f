"""What holds for every page: its headers, its language, its errors; and the person's own page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from farm.accounts.mail import send
from farm.accounts.models import User
from tests.farm.web import scenes

pytestmark = pytest.mark.django_db


class Scripts(HTMLParser):
    """Finds what a strict policy would refuse: code and style written into the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        written = tag == "style" or (tag == "script" and "src" not in names)
        if written or "style" in names or any(name.startswith("on") for name in names):
            self.found.append(self.get_starttag_text() or tag)


def test_a_browser_may_load_nothing_but_ours(people: scenes.People, alice: Client) -> None:
    row = scenes.running(scenes.agent(people.alice))
    for path in ("/agents/", "/agents/new/", f"/agents/{row.uid}/", "/account/", "/nothing/"):
        answer = alice.get(path)
        assert "default-src 'none'; script-src 'self'" in answer["Content-Security-Policy"]
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cache-Control"] == "no-store"
        scripts = Scripts()
        scripts.feed(answer.content.decode())
        assert scripts.found == []


def test_healthz_answers_without_a_log_in() -> None:
    assert Client().get("/healthz").content == b"ok\n"


@pytest.mark.parametrize(
    ("accept", "heading"), [("fr-CA,en;q=0.5", "Un agent"), ("de", "An agent")]
)
def test_the_browser_chooses_the_language(accept: str, heading: str) -> None:
    page = Client().get("/", headers={"accept-language": accept}).content.decode()
    assert f"<h1>{heading}" in page


def test_the_language_is_switched_and_kept(people: scenes.People, alice: Client) -> None:
    answer = alice.post("/language/", {"language": "fr", "next": "/agents/"})
    assert answer["Location"] == "/agents/"
    assert 'lang="fr"' in alice.get("/agents/").content.decode()
    assert User.objects.get(pk=people.alice.pk).language == "fr"
    assert alice.get("/language/").status_code == 405


@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_the_way_back_stays_on_the_site(after: str) -> None:
    answer = Client().post("/language/", {"language": "xx", "next": after})
    assert answer["Location"] == "/"
    assert "django_language" not in answer.cookies


@pytest.mark.parametrize("debug", [False, True])
def test_errors_are_in_the_farms_own_words(
    alice: Client,
    settings: Settings,
    debug: bool,  # noqa: FBT001
) -> None:
    settings.DEBUG = debug
    for path in ("/nothing/", "/agents/nobodysagent/"):
        answer = alice.get(path)
        assert answer.status_code == 404
        assert "There is nothing here" in answer.content.decode()
    assert alice.get("/agents")["Location"] == "/agents/"


@pytest.mark.parametrize("debug", [False, True])
def test_a_strange_host_name_is_told_nothing(
    settings: Settings,
    debug: bool,  # noqa: FBT001
) -> None:
    settings.DEBUG = debug
    answer = Client().get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert len(answer.content) < 1000
    assert "SANDBOX" not in answer.content.decode()


def test_a_person_says_how_they_are_called(people: scenes.People, alice: Client) -> None:
    assert alice.post("/account/", {"name": "  Lili "}).status_code == 302
    assert User.objects.get(pk=people.alice.pk).called == "Lili"
    assert alice.post("/account/", {"name": "x" * 81}).status_code == 200
    assert User.objects.get(pk=people.alice.pk).called == "Lili"


@pytest.mark.parametrize(("language", "subject"), [("en", "Nino answers"), ("fr", "Nino répond")])
def test_the_mail_of_an_agent_that_answers(language: str, subject: str) -> None:
    context = {"agent": "Nino", "member": "Zoé & <co>", "url": "http://localhost:8000/agents/x/"}
    send(template="agent_answers", to="zoe@example.org", language=language, context=context)
    assert mail.outbox[0].subject == subject
    assert "Zoé & <co>," in str(mail.outbox[0].body)
    assert "\n\nhttp://localhost:8000/agents/x/\n\n" in str(mail.outbox[0].body)
