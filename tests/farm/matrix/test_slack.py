"""A Slack app given to an agent: tokens tried first, a code, and answers for one person only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import uuid4

import pytest

from tests.farm.matrix.farms import Farm, wait_until
from tests.farm.matrix.verdicts import answers, one_running

NADIA, STRANGER = "UNADIA1", "USTRANGER"
STATE = "SELECT state FROM agents_slacklink"
FIRST = "SELECT text FROM agents_message ORDER BY id LIMIT 1"


@pytest.fixture
def app(farm: Farm) -> Mapping[str, str]:
    """An app of Slack's, freshly installed."""
    made = farm.control.post("/slack/apps", json={"name": f"Ada {uuid4().hex[:8]}"})
    made.raise_for_status()
    shown: Mapping[str, str] = made.json()
    return shown


def link(farm: Farm, app: Mapping[str, str]) -> str:
    """Give the agent the app; the code."""
    return farm.wish("link_slack", bot_token=app["bot_token"], app_token=app["app_token"])


def write(farm: Farm, app: Mapping[str, str], text: str, *, person: str = NADIA) -> None:
    """Somebody writes to the app's bot."""
    wish = {"app": app["id"], "from": person, "name": "Nadia", "text": text}
    farm.control.post("/slack/messages", json=wish).raise_for_status()


def said(farm: Farm, app: Mapping[str, str], *, person: str = NADIA) -> Sequence[str]:
    """What the bot said to somebody."""
    answer = farm.control.get("/slack/messages", params={"app": app["id"], "from": person})
    answer.raise_for_status()
    return [message["text"] for message in answer.json()["messages"] if message["by"] == "bot"]


def listens(farm: Farm, app: Mapping[str, str]) -> bool:
    """Whether the agent's machine holds the app's socket."""
    apps = farm.control.get("/slack/apps").json()["apps"]
    return any(one["id"] == app["id"] and one["listening"] for one in apps)


def test_whoever_sends_the_code_is_greeted_and_answered_and_nobody_else(
    farm: Farm, app: Mapping[str, str]
) -> None:
    farm.start_worker()
    farm.wish("ask")
    code = link(farm, app)
    write(farm, app, "AAAAAA", person=STRANGER)
    write(farm, app, f"voici {code.lower()}")
    one_running(farm)
    wait_until("it is linked", lambda: farm.ask(STATE) == "linked")
    wait_until("it says hello", lambda: farm.ask(FIRST) in said(farm, app))
    wait_until("its machine listens", lambda: listens(farm, app))
    write(farm, app, "let me in", person=STRANGER)
    write(farm, app, "bonjour")
    wait_until("the agent answers there", lambda: len(said(farm, app)) > 1)
    assert said(farm, app).count(farm.ask(FIRST)) == 1
    assert said(farm, app, person=STRANGER) == []
    assert farm.ask("SELECT user_name FROM agents_slacklink") == "Nadia"


def test_an_app_that_is_taken_away_is_let_go_by_the_machine(
    farm: Farm, app: Mapping[str, str]
) -> None:
    farm.start_worker()
    farm.wish("ask")
    write(farm, app, link(farm, app))
    one_running(farm)
    wait_until("its machine listens", lambda: listens(farm, app))
    farm.wish("unlink_slack")
    wait_until("the machine let it go", lambda: not listens(farm, app))
    wait_until("the agent runs", lambda: farm.phase() == "running")
    answers(farm)
    assert farm.ask("SELECT count(*) FROM agents_slacklink") == "0"


def test_a_code_that_nobody_sends_runs_out(farm: Farm, app: Mapping[str, str]) -> None:
    farm.start_worker()
    farm.wish("ask")
    link(farm, app)
    farm.wish("age_links", minutes="31")
    wait_until("it ran out", lambda: farm.ask(STATE) == "expired")
    assert "slack_expired" in farm.codes()


def test_a_scope_that_is_taken_away_meanwhile_ends_the_wait(
    farm: Farm, app: Mapping[str, str]
) -> None:
    farm.start_worker()
    farm.wish("ask")
    write(farm, app, "hello")
    link(farm, app)
    farm.control.post("/slack/scopes", json={"app": app["id"], "scopes": "im:read"})
    wait_until("Slack refuses", lambda: farm.ask(STATE) == "refused")


@pytest.mark.parametrize(
    ("scopes", "bot", "app_level", "why"),
    [
        ("", "xoxb-1-wrong", "{app_token}", "slack_bot_token: slack_invalid_auth"),
        ("", "{bot_token}", "xapp-1-wrong", "slack_app_token: slack_invalid_auth"),
        ("", "{app_token}", "{bot_token}", "slack_bot_token: slack_token_shape"),
        ("", "{bot_token}", "{bot_token}", "slack_app_token: slack_token_shape"),
        ("im:read", "{bot_token}", "{app_token}", "slack_bot_token: slack_missing_scope"),
        ("im:read users:read", "{bot_token}", "{app_token}", "slack_app_token: slack_missing"),
    ],
)
def test_tokens_that_do_not_do_are_refused_at_their_field(
    farm: Farm, app: Mapping[str, str], scopes: str, bot: str, app_level: str, why: str
) -> None:
    farm.wish("ask")
    if scopes:
        wish = {"app": app["id"], "scopes": scopes}
        farm.control.post("/slack/scopes", json=wish).raise_for_status()
    with pytest.raises(AssertionError) as refused:
        farm.wish("link_slack", bot_token=bot.format(**app), app_token=app_level.format(**app))
    assert why.partition(":")[0] in str(refused.value)
    assert why.partition(": ")[2] in str(refused.value)
    assert farm.ask("SELECT count(*) FROM agents_slacklink") == "0"


def test_tokens_of_two_apps_are_refused(farm: Farm, app: Mapping[str, str]) -> None:
    farm.wish("ask")
    other = farm.control.post("/slack/apps", json={"name": "another"}).json()
    with pytest.raises(AssertionError, match="slack_two_apps"):
        farm.wish("link_slack", bot_token=app["bot_token"], app_token=other["app_token"])
