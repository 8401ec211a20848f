"""Coming in: a code by mail, a password for who wants one, and nobody learns who else is here."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from farm.accounts.models import Account, User
from farm.accounts.services import make_person
from tests.farm.web import scenes
from tests.farm.web.conftest import logged_in

pytestmark = pytest.mark.django_db
PASSWORD = "a-calm-horse-in-the-rain"


def code() -> str:
    """The six digits in the latest mail."""
    found = re.search(r"^ {4}(\d{6})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def sign_up(client: Client, email: str, password: str = "", language: str = "en") -> None:
    """Up to the page that asks for the code."""
    fields = {"email": email, "password1": password}
    answer = client.post("/account/signup/", fields, headers={"accept-language": language})
    assert answer["Location"] == "/account/confirm-email/"


def enter(client: Client, address: str) -> str:
    """Type the code in; where that leads."""
    return client.post(address, {"code": code()})["Location"]


def test_six_digits_open_the_door() -> None:
    client = Client()
    sign_up(client, "dora@example.org", language="fr")
    assert mail.outbox[-1].subject == f"{code()} est votre code"
    assert enter(client, "/account/confirm-email/") == "/agents/"
    assert client.get("/agents/").status_code == 200
    dora = User.objects.get(email="dora@example.org")
    assert dora.language == "fr"
    assert not dora.has_usable_password()
    assert re.fullmatch(r"[a-z2-9]{12}", dora.username)


def test_a_wrong_code_is_told_at_its_field() -> None:
    client = Client()
    sign_up(client, "dora@example.org")
    answer = client.post("/account/confirm-email/", {"code": "12345x"})
    assert answer.status_code == 200
    assert 'id="code_error"' in answer.content.decode()
    assert client.get("/agents/").status_code == 302


def test_a_mistyped_address_is_mended_and_a_wrong_one_told_at_its_field() -> None:
    client = Client()
    sign_up(client, "dora@exmaple.org")
    change = {"action": "change", "email": "dora@"}
    answer = client.post("/account/confirm-email/", change)
    assert answer.status_code == 200
    assert 'id="change_error"' in answer.content.decode()
    client.post("/account/confirm-email/", {**change, "email": "dora@example.org"})
    assert mail.outbox[-1].to == ["dora@example.org"]
    assert enter(client, "/account/confirm-email/") == "/agents/"


def test_three_wrong_codes_end_it() -> None:
    client = Client()
    sign_up(client, "dora@example.org")
    for _ in range(3):
        last = client.post("/account/confirm-email/", {"code": "000-00x"})
    assert last.status_code == 302
    assert client.get("/account/confirm-email/").status_code == 302


def test_a_known_address_is_told_by_mail_only() -> None:
    scenes.person("alice")
    sign_up(Client(), "alice@example.org")
    assert "log in instead" in str(mail.outbox[-1].body)
    assert "http://testserver/account/login/" in str(mail.outbox[-1].body)
    assert User.objects.count() == 1


def test_coming_back_by_code() -> None:
    scenes.person("alice")
    client = Client()
    answer = client.post("/account/login/", {"login": "alice@example.org", "password": ""})
    assert answer["Location"] == "/account/login/code/confirm/"
    assert enter(client, "/account/login/code/confirm/") == "/agents/"


def test_one_code_is_enough_for_somebody_whom_the_operator_made() -> None:
    make_person(email="Olga@example.org")
    client = Client()
    client.post("/account/login/", {"login": "olga@example.org"})
    assert enter(client, "/account/login/code/confirm/") == "/agents/"
    assert len(mail.outbox) == 1


def test_an_unknown_address_learns_it_by_mail_only() -> None:
    client = Client()
    answer = client.post("/account/login/", {"login": "nobody@example.org"})
    assert answer["Location"] == "/account/login/code/confirm/"
    assert "http://testserver/account/signup/" in str(mail.outbox[-1].body)


def test_a_password_is_possible() -> None:
    client = Client()
    sign_up(client, "dora@example.org", PASSWORD)
    enter(client, "/account/confirm-email/")
    assert client.get("/agents/").status_code == 200
    again = Client()
    fields = {"login": "dora@example.org", "password": PASSWORD}
    assert again.post("/account/login/", fields)["Location"] == "/agents/"
    wrong = Client().post("/account/login/", {**fields, "password": "not this one"})
    assert 'id="login_form_error"' in wrong.content.decode()


def test_a_password_from_before_the_address_was_proved_opens_nothing() -> None:
    stranger, dora = Client(), Client()
    sign_up(stranger, "dora@example.org", PASSWORD)
    fields = {"login": "dora@example.org"}
    dora.post("/account/login/", fields)
    assert enter(dora, "/account/login/code/confirm/") == "/agents/"
    stranger.get("/account/confirm-email/")
    assert stranger.get("/agents/").status_code == 302
    for browser in (stranger, Client()):
        browser.post("/account/login/", {**fields, "password": PASSWORD})
        assert browser.get("/agents/").status_code == 302


def test_a_weak_password_is_told_at_its_field() -> None:
    fields = {"email": "dora@example.org", "password1": "12345678"}
    page = Client().post("/account/signup/", fields).content.decode()
    assert 'id="password_error"' in page
    assert 'value="dora@example.org"' in page
    assert "12345678" not in page


def test_a_forgotten_password_is_set_anew_by_code() -> None:
    scenes.person("alice")
    client = Client()
    client.post("/account/password/reset/", {"email": "alice@example.org"})
    assert enter(client, "/account/password/reset/confirm/") == "/account/password/reset/complete/"
    fields = {"password1": PASSWORD}
    client.post("/account/password/reset/complete/", fields)
    assert User.objects.get(email="alice@example.org").check_password(PASSWORD)


def test_logging_out_is_a_post() -> None:
    client = logged_in(scenes.person("alice"))
    assert client.get("/account/logout/").status_code == 200
    assert client.get("/agents/").status_code == 200
    client.post("/account/logout/")
    assert client.get("/agents/")["Location"] == "/account/login/?next=/agents/"


def test_too_many_knocks_are_asked_to_wait() -> None:
    client = Client()
    answers = [
        client.post("/account/signup/", {"email": "not an address"}).status_code for _ in range(21)
    ]
    assert answers[-2:] == [200, 429]


def test_a_mail_server_that_is_away_is_said(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    answer = Client().post("/account/signup/", {"email": "dora@example.org"})
    assert answer.status_code == 503
    assert "dora@example.org is not on its way" in answer.content.decode()


def test_a_sandbox_says_where_its_mail_is(settings: Settings) -> None:
    assert "sandbox" not in Client().get("/").content.decode()
    settings.SANDBOX_MAILBOX_URL = "http://localhost:8025/"
    assert 'href="http://localhost:8025/"' in Client().get("/").content.decode()


def test_an_account_is_opened_once_with_the_first_wish(people: scenes.People) -> None:
    newcomer = scenes.person("dora")
    assert not Account.objects.filter(members=newcomer).exists()
    logged_in(newcomer).post("/agents/new/", {"name": "Iris", "model_provider": ""})
    logged_in(newcomer).get("/agents/new/")
    assert Account.objects.filter(members=newcomer).count() == 1


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/account/email/", "Changer d'adresse"),
        ("/account/password/set/", "Choisir un mot de passe"),
        ("/account/password/reset/", "Un nouveau mot de passe"),
        ("/account/inactive/", "Vous ne pouvez pas entrer"),
    ],
)
def test_every_page_of_the_entrance_speaks_the_farms_words(path: str, words: str) -> None:
    browser = logged_in(scenes.person("alice"))
    page = browser.get(path, headers={"accept-language": "fr"})
    assert words in unescape(page.content.decode())


def test_an_address_is_changed_by_code() -> None:
    alice = scenes.person("alice")
    browser = logged_in(alice)
    fields = {"email": "alice@example.net", "action_add": ""}
    answer = browser.post("/account/email/", fields, follow=True)
    assert 'id="id_code"' in answer.content.decode()
    browser.post("/account/confirm-email/", {"code": code()})
    alice.refresh_from_db()
    assert alice.email == "alice@example.net"


def test_a_first_password_is_typed_once_and_told_in_one_sentence() -> None:
    client = logged_in(scenes.person("alice"))
    client.cookies["django_language"] = "fr"
    asked = client.get("/account/password/set/").content.decode()
    assert asked.count('type="password"') == 1
    weak = client.post("/account/password/set/", {"password1": "12345678"}).content.decode()
    assert "Celui-ci se devine facilement. Au moins 8 caractères" in weak
    assert weak.count('class="error"') == 1
    client.post("/account/password/set/", {"password1": PASSWORD})
    assert User.objects.get(email="alice@example.org").check_password(PASSWORD)
