"""Every route as everybody: the answer is what the one table of permissions says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http.response import HttpResponse, HttpResponseBase
from django.test import Client
from django.test.utils import override_settings
from pytest_django import DjangoDbBlocker

from farm.accounts.permissions import Action
from farm.setup import tokens
from farm.web.views.edge import KNOCK, VISIT
from tests.farm.doors.routes import CONFS, METHODS, About, Route, modules_of, routes
from tests.farm.doors.scene import Caller, Scene, scene, token_of
from tests.farm.web import scenes
from tests.farm.web.conftest import logged_in

NAMES = re.compile(r"<(?:\w+:)?(\w+)>")
FORM, FORM_TYPE = b"role=member&monthly=20", "application/x-www-form-urlencoded"
ALL = sorted(routes(), key=lambda route: (route.conf, route.path))
pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def everything(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    """The whole scene, set once: every knock is taken back before the next."""
    with (
        pytest.MonkeyPatch.context() as environment,
        django_db_blocker.unblock(),
        override_settings(
            ACCOUNT_RATE_LIMITS=False,
            EDGE=True,
            PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
            SANDBOX_MODEL="sandbox-1",
            SANDBOX_MODEL_ENDPOINT="http://127.0.0.1:1/v1",
            STRIPE_SECRET_KEY="sk_test_of_nobody",
            STRIPE_WEBHOOK_SECRET="whsec_of_nobody",
            STATIC_ROOT=tmp_path_factory.mktemp("static"),
        ),
        transaction.atomic(),
    ):
        environment.setenv("FARM_CONF", str(tmp_path_factory.mktemp("conf")))
        cache.clear()
        scenes.prices()
        yield scene()
        transaction.set_rollback(True)


def test_every_route_has_its_rule_and_every_rule_its_route() -> None:
    for conf, rules in CONFS.items():
        assert {route.name for route in ALL if route.conf == conf} == set(rules)


def test_every_configuration_of_addresses_is_walked() -> None:
    written = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "farm").rglob("*.py")
        if re.search(r"^urlpatterns\b", path.read_text(), re.MULTILINE)
    }
    reached = {module for conf in CONFS for module in modules_of(conf)}
    assert {module for module in reached if module.startswith("farm.")} == written


@pytest.mark.parametrize("route", ALL, ids=lambda route: f"{route.conf}{route.path}")
def test_the_answer_is_what_the_table_says(route: Route, everything: Scene) -> None:
    wrong = [
        f"{method} as {caller.name}: {status}, which is not {expected}"
        for caller in everything.callers
        for method in METHODS
        for status in [_answer(route, caller, method, everything)]
        for expected in [_expected(route, caller, method)]
        if status not in expected
    ]
    assert not wrong, "\n".join(wrong)


def _expected(route: Route, caller: Caller, method: str) -> str:
    """One of "done", "log in", "nothing here", "not yours", "no such method", or two of them."""
    rule = route.rule
    if not rule.methods:
        return "nothing here"
    action = rule.methods.get(method)
    about_agent = rule.about is About.AGENT
    if action is None:
        return "no such method, log in, nothing here, not yours"
    if caller.may(action, about_agent=about_agent):
        return "done, no such method" if rule.lenient else "done"
    if rule.about is About.EDGE:
        return "nothing here"
    if rule.about is About.SET_UP or caller.user is None:
        return "log in"
    unknown = about_agent and not caller.may(Action.SEE_AGENT, about_agent=True)
    return "nothing here" if caller.is_outside or unknown else "not yours, nothing here"


def _answer(route: Route, caller: Caller, method: str, there: Scene) -> str:
    with (
        transaction.atomic(),
        override_settings(ROOT_URLCONF=route.conf, SETTING_UP=route.is_of_set_up),
    ):
        path = _filled(route, there)
        if route.name == "revoke_token" and caller.user:
            path = path.replace(there.of_account["token"], token_of(caller).split("_")[1])
        response = _knock(route, path, caller, method, there)
        transaction.set_rollback(True)
    cache.clear()
    return _told(route, response)


def _knock(route: Route, path: str, caller: Caller, method: str, there: Scene) -> HttpResponseBase:
    if path.startswith("/api/"):
        headers = {"Authorization": f"Bearer {token_of(caller)}"} if caller.user else {}
        return Client().generic(
            method, path, b"{}", content_type="application/json", headers=headers
        )
    client = logged_in(caller.user) if caller.user else Client()
    if path.startswith("/invitation/"):
        client.get(f"/invitations/{there.of_account['token']}/")
    if caller.is_founder and route.is_of_set_up:
        client.post("/set-up/token/", {"token": tokens.mint()})
    headers = _of_a_visitor(client, there) if route.rule.about is About.EDGE else {}
    word = {"X-Farm-Edge": settings.EDGE_SECRET} if caller.is_proxy else {}
    return client.generic(method, path, FORM, content_type=FORM_TYPE, headers={**headers, **word})


def _of_a_visitor(client: Client, there: Scene) -> dict[str, str]:
    """What a request has with it at an agent's host, in the browser of its keeper."""
    client.cookies[VISIT], client.cookies[KNOCK] = there.at_edge.visit, there.at_edge.knock
    host = f"{there.of_agent['host']}.{settings.AGENTS_DOMAIN}"
    return {"X-Forwarded-Host": host, "X-Forwarded-Method": "GET", "Accept": "text/html"}


def _told(route: Route, response: HttpResponseBase) -> str:
    """What an answer means to whoever knocked."""
    to = response.headers.get("Location", "")
    if response.status_code == 401 or "/account/login/?next=" in to:
        return "log in"
    if route.rule.about is About.SET_UP and _asks_for_the_token(response):
        return "log in"
    by_status = {403: "not yours", 404: "nothing here", 405: "no such method"}
    return by_status.get(response.status_code, "done")


def _asks_for_the_token(response: HttpResponseBase) -> bool:
    return isinstance(response, HttpResponse) and b'action="/set-up/token/"' in response.content


def _filled(route: Route, there: Scene) -> str:
    """The path with what is there in place of its names."""
    named = {**there.of_account, **there.of_agent}
    if route.rule.about is About.ACCOUNT:
        named["uid"] = there.of_account["account"]
    if route.path.startswith("/payers/"):
        named["uid"] = there.of_account["payer"]
    if route.path.startswith("/budget-requests/"):
        named["uid"] = there.of_agent["request"]
    filled = NAMES.sub(lambda found: named[found[1]], route.path)
    host = there.of_agent["host"]
    if route.name == "open_edge":
        return f"{filled}?host={host}&knock={'0' * 64}"
    if route.rule.about is About.EDGE:
        return f"{filled}?code={there.at_edge.code()}&domain={host}.{settings.AGENTS_DOMAIN}"
    return filled
