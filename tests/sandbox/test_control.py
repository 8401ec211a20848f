"""The control endpoint: for programs on this machine, in sentences."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest

from farm.sandbox.callers import GUEST_HEADER
from farm.sandbox.wire import Json
from tests.sandbox.running import RunningSandbox


def test_shows_how_it_stands(control: httpx.Client) -> None:
    status = control.get("/status").json()
    assert status["guests"]["kind"] == "simulated"
    assert status["guests"]["problem"] == ""
    assert status["clock"]["speed"] == 1


def test_time_can_be_moved_on(control: httpx.Client) -> None:
    before = datetime.fromisoformat(control.get("/clock").json()["now"])
    moved = control.post("/clock", json={"advance": 3600}).json()
    assert (datetime.fromisoformat(moved["now"]) - before).total_seconds() >= 3600
    assert control.post("/clock", json={"speed": 2}).json()["speed"] == 2
    assert control.post("/clock", json={"speed": 1}).json()["speed"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"speed": 0},
        {"speed": "fast"},
        {"advance": -1},
        {"advance": 1e300},
        [],
        "x",
    ],
)
def test_wrong_input_gets_a_sentence(control: httpx.Client, body: Json) -> None:
    answer = control.post("/clock", json=body)
    assert answer.status_code == 422
    assert len(answer.json()["error"]) > 10


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/plain"}, {"Host": "evil.example", "Content-Type": "x/y"}]
)
def test_a_page_in_a_browser_cannot_order_anything(
    running: RunningSandbox, headers: dict[str, str]
) -> None:
    order = b'{"speed": 1000}'
    answer = httpx.post(f"{running.control}/clock", content=order, headers=headers)
    assert answer.status_code in (403, 415)
    assert httpx.get(f"{running.control}/clock").json()["speed"] == 1


def test_people_and_bots_that_do_not_exist_are_told(control: httpx.Client) -> None:
    for answer in (
        control.get("/telegram/messages", params={"bot": "nobody_bot"}),
        control.get("/telegram/messages", params={"bot": "sandbox_ready_bot", "chat": "x"}),
        control.post("/telegram/messages", json={"bot": "nobody_bot", "from": 1, "text": "x"}),
        control.post("/telegram/messages", json={"bot": "sandbox_ready_bot", "text": "x"}),
    ):
        assert answer.status_code == 422
        assert answer.json()["error"]


def test_only_the_farms_calls_are_counted(running: RunningSandbox, control: httpx.Client) -> None:
    services = running.report.services
    url = f"{services.telegram.endpoint}/bot{services.telegram.bot_token}/getMe"
    control.delete("/faults")
    assert httpx.get(url).status_code == 200
    assert httpx.get(url, headers={GUEST_HEADER: "127.1.2.3"}).status_code == 200
    calls = control.get("/calls").json()["calls"]
    assert [(call["kind"], call["detail"]) for call in calls] == [("telegram", "GET getMe")]


def test_a_guest_has_no_phone(running: RunningSandbox) -> None:
    page = running.report.services.telegram.page
    assert httpx.get(page, headers={GUEST_HEADER: "127.1.2.3"}).status_code == 403
