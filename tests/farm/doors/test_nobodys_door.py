"""Every route as everybody: the answer is what the one table of permissions says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import override_settings
from pytest_django import DjangoDbBlocker

from farm.accounts.permissions import Action
from tests.farm.doors.routes import ENTRANCE, METHODS, RULES, About, Route, Rule, routes
from tests.farm.doors.scene import Caller, Scene, scene, token_of
from tests.farm.web import scenes
from tests.farm.web.conftest import logged_in

NAMES = re.compile(r"<(?:\w+:)?(\w+)>")
FORM, FORM_TYPE = b"role=member&monthly=20", "application/x-www-form-urlencoded"
ALL = sorted(routes(), key=lambda route: route.path)


@pytest.fixture(scope="module")
def everything(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    """The whole scene, set once: every knock is taken back before the next."""
    with (
        django_db_blocker.unblock(),
        override_settings(
            ACCOUNT_RATE_LIMITS=False,
            EDGE=True,
            PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
            SANDBOX_MODEL="sandbox-1",
            SANDBOX_MODEL_ENDPOINT="http://127.0.0.1:1/v1",
            STATIC_ROOT=tmp_path_factory.mktemp("static"),
        ),
        transaction.atomic(),
    ):
        cache.clear()
        scenes.prices()
        yield scene()
        transaction.set_rollback(True)


def test_every_route_has_its_rule_and_every_rule_its_route() -> None:
    assert {route.name for route in ALL} == set(RULES)


@pytest.mark.parametrize("route", ALL, ids=lambda route: route.path)
def test_the_answer_is_what_the_table_says(route: Route, everything: Scene) -> None:
    rule = RULES[route.name]
    wrong = [
        f"{method} as {caller.name}: {status}, which is not {expected}"
        for caller in everything.callers
        for method in METHODS
        for status in [_answer(route, rule, caller, method, everything)]
        for expected in [_expected(route, rule, caller, method)]
        if status not in expected
    ]
    assert not wrong, "\n".join(wrong)


def _expected(route: Route, rule: Rule, caller: Caller, method: str) -> str:
    """One of "done", "log in", "nothing here", "not yours", "no such method", or two of them."""
    if rule.about is About.CADDY or route.name == "api_nothing":
        return "nothing here"
    action = rule.methods.get(method)
    about_agent = rule.about is About.AGENT
    if action is None:
        return "no such method, log in, nothing here, not yours"
    if caller.may(action, about_agent=about_agent):
        return "done, no such method" if route.name in ENTRANCE else "done"
    if caller.user is None:
        return "log in"
    unknown = about_agent and not caller.may(Action.SEE_AGENT, about_agent=True)
    return "nothing here" if caller.is_outside or unknown else "not yours, nothing here"


def _answer(route: Route, rule: Rule, caller: Caller, method: str, there: Scene) -> str:
    with transaction.atomic():
        path = _filled(route, rule, there)
        if route.name == "revoke_token" and caller.user:
            path = path.replace(there.of_account["token"], token_of(caller).split("_")[1])
        response = _knock(path, caller, method, there)
        transaction.set_rollback(True)
    cache.clear()
    return _told(response)


def _knock(path: str, caller: Caller, method: str, there: Scene) -> HttpResponseBase:
    if path.startswith("/api/"):
        headers = {"Authorization": f"Bearer {token_of(caller)}"} if caller.user else {}
        return Client().generic(
            method, path, b"{}", content_type="application/json", headers=headers
        )
    client = logged_in(caller.user) if caller.user else Client()
    if path.startswith("/invitation/"):
        client.get(f"/invitations/{there.of_account['token']}/")
    return client.generic(method, path, FORM, content_type=FORM_TYPE)


def _told(response: HttpResponseBase) -> str:
    """What an answer means to whoever knocked."""
    if response.status_code == 401 or "/account/login/?next=" in response.headers.get(
        "Location", ""
    ):
        return "log in"
    by_status = {403: "not yours", 404: "nothing here", 405: "no such method"}
    return by_status.get(response.status_code, "done")


def _filled(route: Route, rule: Rule, there: Scene) -> str:
    """The path with what is there in place of its names."""
    named = {**there.of_account, **there.of_agent}
    if rule.about is About.ACCOUNT:
        named["uid"] = there.of_account["account"]
    if route.path.startswith("/payers/"):
        named["uid"] = there.of_account["payer"]
    if route.path.startswith("/budget-requests/"):
        named["uid"] = there.of_agent["request"]
    filled = NAMES.sub(lambda found: named[found[1]], route.path)
    if route.name == "open_edge":
        return f"{filled}?host={there.of_agent['host']}&knock={'0' * 64}"
    return filled
