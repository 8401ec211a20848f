"""What every request passes: tokens, routes, methods, JSON, and the rate limit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hcloud import APIException, Client

from farm.sandbox.hetzner.limits import CAPACITY, Budget
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork
from tests.sandbox.hetzner.official import OfficialSpec


@pytest.mark.parametrize(
    ("method", "path", "token", "body", "status", "code", "message"),
    [
        ("GET", "/servers", "", None, 401, "unauthorized", "token is required"),
        (
            "GET",
            "/servers",
            "wrong",
            None,
            401,
            "unauthorized",
            "the token you have provided is invalid",
        ),
        ("GET", "/nothing", "", None, 404, "not_found", "api route not found"),
        ("GET", "/servers/abc", None, None, 404, "not_found", "api route not found"),
        ("GET", "/servers/7", None, None, 404, "not_found", "server with ID '7' not found"),
        ("PATCH", "/servers", None, None, 405, "method_not_allowed", "not allowed"),
        ("POST", "/servers", None, "{", 400, "json_error", None),
        ("POST", "/servers", None, "[]", 400, "json_error", None),
        ("POST", "/servers", None, None, 422, "invalid_input", None),
        ("GET", "/actions", None, None, 422, "invalid_input", None),
        ("GET", "/datacenters", None, None, 410, "deprecated_api_endpoint", None),
    ],
)
def test_a_refusal_has_the_official_envelope(
    at_work: CloudAtWork,
    method: str,
    path: str,
    token: str | None,
    body: str | None,
    status: int,
    code: str,
    message: str | None,
) -> None:
    answer = at_work.ask(method, path, token=token, body=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert message in (None, error["message"])
    assert set(error) == {"code", "message", "details"}
    assert answer.headers["X-Correlation-Id"]


def test_a_reading_token_may_only_read(at_work: CloudAtWork) -> None:
    project = at_work.order("/hetzner/projects", {"name": "x"}).json()
    reader = at_work.client(project["read_token"])
    assert reader.servers.get_all() == []
    with pytest.raises(APIException, match="token_readonly"):
        reader.request(method="DELETE", url="/ssh_keys/1")


def test_every_answer_tells_the_budget(at_work: CloudAtWork) -> None:
    first, second = (at_work.ask("GET", "/locations") for _ in range(2))
    assert first.headers["RateLimit-Limit"] == "3600"
    assert int(first.headers["RateLimit-Remaining"]) >= int(second.headers["RateLimit-Remaining"])
    assert int(second.headers["RateLimit-Reset"]) >= int(first.headers["RateLimit-Reset"])


def test_a_project_without_requests_left_is_told_to_wait(
    at_work: CloudAtWork, client: Client
) -> None:
    project = next(iter(at_work.cloud.books.projects))
    budget = at_work.cloud.budget(project)
    budget.left = -100
    answer = at_work.ask("GET", "/locations")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(answer.headers["RateLimit-Remaining"]) <= 0
    other = at_work.order("/hetzner/projects", {"name": "x"}).json()["token"]
    assert at_work.ask("GET", "/locations", token=other).ok


def test_a_budget_refills_by_one_a_second(at_work: CloudAtWork) -> None:
    now = at_work.cloud.clock.now()
    budget = Budget(now, left=0.0)
    assert not budget.take(now)
    assert [budget.take(now + timedelta(seconds=2)) for _ in range(3)] == [True, True, False]
    assert budget.take(now + timedelta(hours=2))
    assert budget.left == CAPACITY - 1


def test_answers_were_held_against_the_official_description(
    at_work: CloudAtWork, official: OfficialSpec
) -> None:
    at_work.watch = official.check
    before = official.checked
    at_work.ask("GET", "/pricing")
    assert official.checked == before + 1
    answer = at_work.ask("GET", "/locations")
    answer._content = b'{"locations": [{"id": "one"}]}'
    with pytest.raises(AssertionError, match="required property"):
        official.check(answer)
