"""The set-up page: who gets in, what it says to wrong answers, what it leaves behind."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from django.test import Client
from pytest_django.fixtures import Settings

from farm.accounts.models import AuditEntry, Role, User
from farm.agents.models import SharedKey
from farm.billing.gateway import connect
from farm.env import setting_up
from farm.sandbox.model.keys import OWN_OPENAI_KEY, REFUSED_KEY
from farm.setup import house, tokens
from farm.setup.answers import close, kept
from tests.ops.farms import free_port
from tests.sandbox.running import RunningSandbox, sandbox

pytestmark = pytest.mark.django_db
PAGE, DOOR = "/set-up/", "/set-up/token/"
STRANGE = "99999999-2222-4333-8444-555555555555"
HALVES = {
    "scaleway_access_key": "SCALEWAY_ACCESS_KEY",
    "scaleway_secret_key": "SCALEWAY_SECRET_KEY",
    "scaleway_project": "SCALEWAY_PROJECT_ID",
}
HOUSE = house.House("farm.example.org", "agents.example.net")


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """Clouds and models that say yes and no."""
    with sandbox(tmp_path_factory.mktemp("outside") / "state") as running:
        yield running


class Postman:
    """A mail server that takes everything up to the mail itself."""

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - aiosmtpd's name for it
        return "550 no mail may leave"


def knows(_server: object, _session: object, _mail: object, _how: str, who: object) -> AuthResult:
    good = isinstance(who, LoginPassword) and who.password == b"right"
    return AuthResult(success=good, handled=good)


@pytest.fixture(scope="module")
def post() -> Iterator[int]:
    """The port of a mail server that knows one user."""
    port = free_port()
    server = Controller(
        Postman(), hostname="127.0.0.1", port=port, authenticator=knows, auth_require_tls=False
    )
    server.start()
    yield port
    server.stop()


@pytest.fixture
def conf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings, outside: RunningSandbox
) -> Path:
    """A farm that waits for its answers."""
    folder = tmp_path / "conf"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("FARM_CONF", str(folder))
    settings.ROOT_URLCONF = "farm.web.set_up_urls"
    settings.SETTING_UP = True
    settings.HETZNER_ENDPOINT = outside.report.services.hetzner.endpoint
    settings.SCALEWAY_ENDPOINT = outside.report.services.scaleway.endpoint
    settings.MODEL_ENDPOINTS = {"openai": outside.report.services.model.endpoint}
    settings.STRIPE_API_BASE = outside.report.services.stripe.endpoint
    return folder


@pytest.fixture
def answers(outside: RunningSandbox, post: int) -> dict[str, str]:
    """What a careful operator types."""
    return {
        "site_domain": HOUSE.site,
        "agents_domain": HOUSE.agents,
        "operator_email": "Olga@Example.org",
        "operator_name": "Olga",
        "hetzner_token": outside.report.services.hetzner.token,
        "mail_host": "127.0.0.1",
        "mail_port": str(post),
        "mail_line": "open",
        "mail_user": "farm",
        "mail_password": "right",
        "mail_from": "farm@example.org",
        "model_key_openai": OWN_OPENAI_KEY,
    }


@pytest.fixture
def keys(outside: RunningSandbox) -> dict[str, str]:
    """What opens the project at Scaleway."""
    there = outside.report.services.scaleway
    return dict(zip(HALVES, (there.access_key, there.secret_key, there.project), strict=True))


def inside(client: Client) -> Client:
    """A browser that showed the token."""
    assert client.post(DOOR, {"token": tokens.mint()}).status_code == 302
    return client


def said(page: bytes) -> str:
    """The sentences of refusals, in order."""
    return " ".join(re.findall(r'<p class="error"[^>]*>([^<]*)<', page.decode()))


def test_without_the_token_nobody_learns_or_changes_anything(
    conf: Path, client: Client, answers: dict[str, str]
) -> None:
    tokens.mint()
    for page in (client.get(PAGE), client.post(PAGE, answers)):
        assert b"The token" in page.content
        assert b"hetzner_token" not in page.content
    assert sorted(path.name for path in conf.iterdir()) == ["setup_token"]


@pytest.mark.parametrize("guess", ["", "x", "0" * 64])
def test_a_guess_does_not_open_it_not_even_the_digest(
    conf: Path, client: Client, guess: str
) -> None:
    tokens.mint()
    for tried in (guess, kept("setup_token")):
        answer = client.post(DOOR, {"token": tried})
        assert answer.status_code == 422
        assert "farm setup token" in said(answer.content)
    assert b"hetzner_token" not in client.get(PAGE).content


def test_without_any_token_made_no_guess_opens_it(conf: Path, client: Client) -> None:
    assert client.post(DOOR, {"token": ""}).status_code == 422
    assert b"hetzner_token" not in client.get(PAGE).content


def test_another_token_puts_out_whoever_came_in_by_the_first(conf: Path, client: Client) -> None:
    inside(client)
    assert b"hetzner_token" in client.get(PAGE).content
    tokens.mint()
    assert b"hetzner_token" not in client.get(PAGE).content


def test_nothing_of_the_site_is_there_before(conf: Path, client: Client) -> None:
    assert client.get("/").headers["Location"] == PAGE
    for path in ("/account/", "/agents/new/", "/operator/", "/account/signup/"):
        assert client.get(path).status_code == 404


def test_every_wrong_answer_gets_its_sentence_and_the_good_ones_are_kept(
    conf: Path, client: Client, answers: dict[str, str]
) -> None:
    wrong = {
        "site_domain": "not a name",
        "hetzner_token": "a" * 64,
        "mail_password": "wrong",
        "model_key_openai": REFUSED_KEY,
    }
    page = inside(client).post(PAGE, answers | wrong)
    assert page.status_code == 422
    sentences = said(page.content)
    for words in ("Give a host name", "read and write", "user or password", "refuses this key"):
        assert words in sentences
    assert kept("operator_email") == "olga@example.org"
    assert kept("HETZNER_TOKEN") == kept("EMAIL_HOST_PASSWORD") == kept("model_key_openai") == ""
    page = client.post(PAGE, answers | {"site_domain": "not a name"})
    assert said(page.content).startswith("Give a host name")
    assert "HETZNER_TOKEN" in {path.name for path in conf.iterdir()}


def test_a_name_that_leads_nowhere_is_told_with_the_record_it_needs(
    conf: Path, client: Client, answers: dict[str, str]
) -> None:
    nowhere = {"site_domain": "farm.invalid", "agents_domain": "agents-of.invalid.test"}
    page = inside(client).post(PAGE, answers | nowhere)
    assert "add a DNS record farm.invalid" in said(page.content)
    assert kept("SITE_URL") == ""


@pytest.mark.parametrize("agents", ["farm.example.org", "agents.example.org", "example.org"])
def test_agents_do_not_live_beside_the_site(
    conf: Path, client: Client, answers: dict[str, str], agents: str
) -> None:
    page = inside(client).post(PAGE, answers | {"agents_domain": agents})
    assert "registered apart" in said(page.content)


def test_no_secret_is_ever_shown_or_readable_by_others(
    conf: Path, client: Client, answers: dict[str, str]
) -> None:
    page = inside(client).post(PAGE, answers | {"site_domain": ""}).content
    page += client.get(PAGE).content
    for name in ("hetzner_token", "mail_password", "model_key_openai"):
        assert f'value="{answers[name]}"'.encode() not in page
        assert answers[name].encode() not in page.replace(b"right", b"") or name == "mail_password"
    assert b"Checked and kept" in page
    modes = {stat.S_IMODE(path.stat().st_mode) for path in conf.iterdir()}
    assert modes == {0o600}


def test_all_good_makes_the_operator_and_kills_the_token(
    conf: Path, client: Client, answers: dict[str, str]
) -> None:
    house.keep_house(HOUSE)
    token = tokens.mint()
    client.post(DOOR, {"token": token})
    page = client.post(PAGE, answers)
    assert page.status_code == 200, said(page.content)
    assert b"https://farm.example.org" in page.content
    operator = User.objects.get()
    assert (operator.email, operator.is_superuser, operator.called) == (
        "olga@example.org",
        True,
        "Olga",
    )
    assert operator.memberships.get().role == Role.OWNER
    assert not operator.has_usable_password()
    shared = SharedKey.objects.get()
    assert (shared.provider, shared.key) == ("openai", OWN_OPENAI_KEY)
    assert kept("model_key_openai") == ""
    assert AuditEntry.objects.filter(verb="set up farm", actor=operator).exists()
    assert not setting_up()
    assert b"hetzner_token" not in client.get(PAGE).content
    assert Client().post(DOOR, {"token": token}).status_code == 422


def test_until_the_site_is_there_a_browser_that_came_early_looks_again(
    conf: Path, client: Client
) -> None:
    close()
    for path in (PAGE, "/", "/account/login/"):
        early = client.get(path)
        assert (early.status_code, early.headers["Refresh"]) == (503, "3")
        assert b"looks again" in early.content


def test_it_speaks_french_in_its_refusals_too(
    conf: Path, client: Client, answers: dict[str, str]
) -> None:
    client.cookies["django_language"] = "fr"
    page = inside(client).post(PAGE, answers | {"hetzner_token": "a" * 64})
    assert "lecture et écriture" in said(page.content)


@pytest.mark.parametrize(
    ("field", "word", "sentence"),
    [
        ("scaleway_access_key", "", "Paste the access key"),
        ("scaleway_access_key", STRANGE, "Paste the access key"),
        ("scaleway_secret_key", "", "Paste the secret key"),
        ("scaleway_secret_key", STRANGE, "does not know this secret key"),
        ("scaleway_project", "", "Paste the project"),
        ("scaleway_project", STRANGE, "may not make machines in this project"),
    ],
)
def test_what_scaleway_lacks_is_said_at_its_field(
    conf: Path, client: Client, keys: dict[str, str], field: str, word: str, sentence: str
) -> None:
    page = inside(client).post(PAGE, {**keys, field: word})
    assert page.status_code == 422
    assert sentence in said(page.content)
    assert f'id="{field}_error"'.encode() in page.content
    assert [kept(name) for name in HALVES.values()] == ["", "", ""]


def test_a_farm_may_have_scaleway_alone(
    conf: Path, client: Client, answers: dict[str, str], keys: dict[str, str]
) -> None:
    page = inside(client).post(PAGE, answers | keys | {"hetzner_token": "", "site_domain": ""})
    assert (
        said(page.content)
        == "Give a host name, such as farm.example.org, without an address around it."
    )
    assert {field: kept(name) for field, name in HALVES.items()} == keys
    again = client.get(PAGE).content.decode()
    assert keys["scaleway_secret_key"] not in again
    assert keys["scaleway_access_key"] in again


def test_scaleways_refusal_is_said_in_french_too(
    conf: Path, client: Client, keys: dict[str, str]
) -> None:
    client.cookies["django_language"] = "fr"
    page = inside(client).post(PAGE, keys | {"scaleway_secret_key": STRANGE})
    assert "ne connaît pas cette clé secrète" in said(page.content)


def test_another_site_cannot_answer_for_the_operator(conf: Path, answers: dict[str, str]) -> None:
    strict = inside(Client())
    strict.handler.enforce_csrf_checks = True
    page = strict.post(PAGE, answers, headers={"Origin": "https://evil.example"})
    assert page.status_code == 403


def test_one_key_of_stripes_is_enough_to_hear_from_it(
    conf: Path, client: Client, answers: dict[str, str], outside: RunningSandbox
) -> None:
    there = outside.report.services.stripe
    page = inside(client).post(PAGE, answers | {"stripe_key": there.key, "vat_regime": "none"})
    assert "add a DNS record" in said(page.content)
    first = kept("STRIPE_WEBHOOK_SECRET")
    client.post(PAGE, answers | {"stripe_key": there.key})
    assert kept("STRIPE_SECRET_KEY") == there.key
    assert kept("STRIPE_WEBHOOK_SECRET") not in ("", first, there.webhook_secret)
    assert kept("VAT_REGIME") == "none"
    told = connect(there.key, "", there.endpoint).client.v1.webhook_endpoints.list()
    (own,) = (one for one in told.data if one.url == f"https://{HOUSE.site}/stripe/webhook")
    assert "checkout.session.completed" in own.enabled_events
    assert there.key not in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"stripe_key": "sk_live_unknown"}, "Stripe refuses this key"),
        ({"stripe_key": "sk_live_unknown", "site_domain": "x"}, "Once the host name"),
        ({"vat_regime": "both"}, "Choose how VAT is meant"),
    ],
)
def test_what_stripe_does_not_take_is_said_and_not_kept(
    conf: Path, client: Client, answers: dict[str, str], wrong: dict[str, str], sentence: str
) -> None:
    page = inside(client).post(PAGE, answers | wrong)
    assert sentence in said(page.content)
    assert kept("STRIPE_SECRET_KEY") == ""
    assert kept("VAT_REGIME") in ("", "top_up")


def test_a_farm_for_people_takes_no_key_for_play_money(
    conf: Path, client: Client, answers: dict[str, str], settings: Settings
) -> None:
    settings.STRIPE_API_BASE = ""
    page = inside(client).post(PAGE, answers | {"stripe_key": "sk_test_anything"})
    assert "play money" in said(page.content)
    assert kept("STRIPE_SECRET_KEY") == ""
