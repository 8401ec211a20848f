"""Lists: label selectors, filters, sorting and pages."""

from __future__ import annotations

import pytest
from hcloud import APIException, Client

from farm.sandbox.hetzner.labels import parse_selector
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork

LABELS = {"env": "prod", "tier": "web", "example.com/team": "a.b-c_d", "just-a-key": ""}


@pytest.mark.parametrize(
    ("selector", "means"),
    [
        ("", True),
        ("env=prod", True),
        ("env==prod", True),
        ("env=test", False),
        ("env!=test", True),
        ("env!=prod", False),
        ("absent!=x", True),
        ("env", True),
        ("absent", False),
        ("!absent", True),
        ("!env", False),
        ("env in (test, prod)", True),
        ("env in (test)", False),
        ("absent in (test)", False),
        ("env notin (test,stage)", True),
        ("env notin (prod)", False),
        ("absent notin (prod)", True),
        ("env in (prod,test),tier==web,!absent", True),
        ("env=prod,tier!=web", False),
        ("example.com/team=a.b-c_d", True),
        ("just-a-key", True),
        ("just-a-key=", True),
    ],
)
def test_a_selector_means_what_the_documentation_says(selector: str, *, means: bool) -> None:
    assert parse_selector(selector)(LABELS) is means


@pytest.mark.parametrize("selector", ["env in prod", "=x", "a b", "env=(x)", "a,,b", "e=\u00e9"])
def test_what_is_no_selector_is_refused_at_its_field(client: Client, selector: str) -> None:
    with pytest.raises(APIException, match="invalid_input") as refused:
        client.servers.get_all(label_selector=selector)
    assert refused.value.details["fields"][0]["name"] == "label_selector"


def firewalls(client: Client, count: int) -> None:
    """That many firewalls, fw-000 and on; every third has a label."""
    for number in range(count):
        labels = {"third": "yes"} if number % 3 == 0 else {}
        body = {"name": f"fw-{number:03}", "labels": labels}
        client.request(method="POST", url="/firewalls", json=body)


def test_pages_follow_each_other_without_gap(client: Client) -> None:
    firewalls(client, 57)
    names = [firewall.name for firewall in client.firewalls.get_all()]
    assert names == [f"fw-{number:03}" for number in range(57)]
    assert len(client.firewalls.get_all(label_selector="third")) == 19


def test_a_page_tells_its_place(at_work: CloudAtWork, client: Client) -> None:
    firewalls(client, 12)
    answer = at_work.ask("GET", "/firewalls?per_page=5&page=2&sort=name:desc&label_selector=!x")
    assert [one["name"] for one in answer.json()["firewalls"]] == [
        f"fw-{number:03}" for number in (6, 5, 4, 3, 2)
    ]
    assert answer.json()["meta"]["pagination"] == {
        "page": 2,
        "per_page": 5,
        "previous_page": 1,
        "next_page": 3,
        "last_page": 3,
        "total_entries": 12,
    }
    assert set(answer.links) == {"prev", "next", "last"}
    assert (
        at_work.ask("GET", answer.links["next"]["url"].removeprefix(at_work.endpoint)).json()[
            "meta"
        ]["pagination"]["page"]
        == 3
    )


def test_the_default_page_holds_25_and_the_longest_50(at_work: CloudAtWork, client: Client) -> None:
    firewalls(client, 51)
    assert len(at_work.ask("GET", "/firewalls").json()["firewalls"]) == 25
    assert len(at_work.ask("GET", "/firewalls?per_page=500").json()["firewalls"]) == 50


def test_an_empty_list_has_one_page(at_work: CloudAtWork) -> None:
    answer = at_work.ask("GET", "/servers").json()
    assert answer["servers"] == []
    assert answer["meta"]["pagination"]["last_page"] == 1
    assert answer["meta"]["pagination"]["total_entries"] == 0


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=-1", "sort=colour", "status=50"])
def test_a_query_that_makes_no_sense_is_refused(at_work: CloudAtWork, query: str) -> None:
    answer = at_work.ask("GET", f"/servers?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")
