"""The Hetzner adapter's own promises: what each refusal means, and how it asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from farm.sandbox.wire import JsonObject
from provisioning.errors import (
    AnswerLost,
    NeedsOperator,
    NoCapacity,
    ProvisioningError,
    Rejected,
    Transient,
)
from provisioning.hetzner import Hetzner
from provisioning.provider import Firewall, FirewallRule
from provisioning.registry import Credentials, provider_for
from tests.contract.subjects import CX23, order_of
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, cloud_at_work, eventually

ORDER = order_of(CX23)
CREATE = "POST /servers"
LIST = "GET /servers"


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[CloudAtWork]:
    """A sandbox cloud."""
    with cloud_at_work(tmp_path) as started:
        yield started


@pytest.fixture
def hetzner(at_work: CloudAtWork) -> Hetzner:
    """The adapter, pointed there."""
    return Hetzner(token=at_work.cloud.token, endpoint=at_work.endpoint)


def refuse(at_work: CloudAtWork, word: str, status: int, code: str) -> None:
    """The next such request is answered with this code and has no effect."""
    answer: JsonObject = {"status": status, "code": code, "message": "told so"}
    at_work.order("/faults", {"match": [word], "answer": answer})


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "json_error", Rejected),
        (401, "unauthorized", NeedsOperator),
        (401, "token_readonly", NeedsOperator),
        (403, "forbidden", NeedsOperator),
        (403, "maintenance", Transient),
        (403, "resource_limit_exceeded", NeedsOperator),
        (404, "not_found", Rejected),
        (405, "method_not_allowed", Rejected),
        (409, "conflict", Transient),
        (410, "deprecated_api_endpoint", NeedsOperator),
        (412, "resource_unavailable", NoCapacity),
        (422, "invalid_input", Rejected),
        (422, "invalid_server_type", NoCapacity),
        (422, "server_not_stopped", Transient),
        (422, "placement_error", NoCapacity),
        (422, "service_error", AnswerLost),
        (422, "unsupported_error", Rejected),
        (422, "never_heard_of", Rejected),
        (423, "locked", Transient),
        (423, "protected", NeedsOperator),
        (429, "rate_limit_exceeded", Transient),
        (500, "server_error", AnswerLost),
        (500, "never_heard_of", AnswerLost),
        (503, "unavailable", AnswerLost),
        (504, "timeout", AnswerLost),
    ],
)
def test_each_official_code_says_what_to_do(
    at_work: CloudAtWork,
    hetzner: Hetzner,
    status: int,
    code: str,
    kind: type[ProvisioningError],
) -> None:
    refuse(at_work, CREATE, status, code)
    with pytest.raises(ProvisioningError) as refused:
        hetzner.create(ORDER)
    assert type(refused.value) is kind
    assert refused.value.code == code
    assert len(at_work.calls()) == 3, "one look for the firewall, its creation, one order"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, AnswerLost), (403, NeedsOperator), (404, NeedsOperator), (502, AnswerLost)],
)
def test_an_answer_that_is_not_hetzners(
    at_work: CloudAtWork, hetzner: Hetzner, status: int, kind: type[ProvisioningError]
) -> None:
    page: JsonObject = {"status": status, "text": "<html>a proxy</html>"}
    at_work.order("/faults", {"match": [CREATE], "answer": page})
    with pytest.raises(ProvisioningError) as refused:
        hetzner.create(ORDER)
    assert type(refused.value) is kind


@pytest.mark.parametrize("code", ["server_error", "unavailable", "timeout"])
def test_a_look_that_failed_has_lost_nothing(
    at_work: CloudAtWork, hetzner: Hetzner, code: str
) -> None:
    refuse(at_work, LIST, 500, code)
    with pytest.raises(Transient) as refused:
        hetzner.find("farm-s1")
    assert type(refused.value) is Transient


def test_a_rate_limit_says_how_long_to_rest(at_work: CloudAtWork, hetzner: Hetzner) -> None:
    for reset, rest in ((30, 30), (0, 1), (3000, 300)):
        limited: JsonObject = {"status": 429, "code": "rate_limit_exceeded", "retry_after": reset}
        at_work.order("/faults", {"match": [LIST], "answer": limited})
        with pytest.raises(Transient) as refused:
            hetzner.find("farm-s1")
        assert refused.value.retry_after == pytest.approx(rest, abs=1)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", ["reset", "hang"])
def test_an_order_without_an_answer_may_have_been_carried_out(
    at_work: CloudAtWork, when: str, effect: str
) -> None:
    hetzner = Hetzner(token=at_work.cloud.token, endpoint=at_work.endpoint, timeouts=(3.05, 0.5))
    at_work.order("/faults", {"match": [CREATE], effect: True, "when": when})
    with pytest.raises(AnswerLost):
        hetzner.create(ORDER)
    patient = Hetzner(token=at_work.cloud.token, endpoint=at_work.endpoint)
    eventually(lambda: (patient.find(ORDER.name) is not None) is (when == "after"))
    orders = [call for call in at_work.calls() if call.startswith(CREATE)]
    assert len(orders) == 1, "nothing is asked a second time behind our back"


def test_a_cloud_that_is_not_reachable_has_lost_nothing() -> None:
    with pytest.raises(Transient) as refused:
        Hetzner(token="x", endpoint="http://127.0.0.1:9/v1").delete("1")
    assert (type(refused.value), refused.value.code) == (Transient, "unreachable")


@pytest.mark.parametrize("endpoint", ["no address", "ftp://127.0.0.1/v1"])
def test_an_endpoint_that_is_none_needs_the_operator(endpoint: str) -> None:
    with pytest.raises(NeedsOperator):
        Hetzner(token="x", endpoint=endpoint).verify()


def test_an_endpoint_of_something_else_needs_the_operator(at_work: CloudAtWork) -> None:
    elsewhere = at_work.endpoint.removesuffix("/v1")
    with pytest.raises(NeedsOperator) as refused:
        Hetzner(token=at_work.cloud.token, endpoint=elsewhere).find("farm-s1")
    assert refused.value.code == "not_hetzner"


def test_a_token_is_proven_to_be_good_and_to_write(at_work: CloudAtWork) -> None:
    project = at_work.order("/hetzner/projects", {"name": "x"}).json()
    for token, code in (("wrong", "unauthorized"), (project["read_token"], "token_readonly")):
        with pytest.raises(NeedsOperator) as refused:
            Hetzner(token=token, endpoint=at_work.endpoint).verify()
        assert refused.value.code == code
        assert token not in str(refused.value)
    Hetzner(token=project["token"], endpoint=at_work.endpoint).verify()


def test_the_firewall_is_made_once_and_corrected(at_work: CloudAtWork, hetzner: Hetzner) -> None:
    hetzner.create(ORDER)
    hetzner.create(replace(ORDER, name="farm-s2"))
    (firewall,) = at_work.client().firewalls.get_all()
    assert [(rule.port, rule.source_ips) for rule in firewall.rules or []] == [
        ("22", ["0.0.0.0/0", "::/0"])
    ]
    narrow = Firewall("farm-f1", (FirewallRule(22, ("198.51.100.7/32",)),))
    hetzner.create(replace(ORDER, name="farm-s3", firewall=narrow))
    firewall.reload()
    assert [rule.source_ips for rule in firewall.rules or []] == [["198.51.100.7/32"]]
    assert len(firewall.applied_to or []) == 3
    changes = [call for call in at_work.calls() if "set_rules" in call]
    assert len(changes) == 1


def test_the_edge_is_let_in_to_machines_that_are_there(
    at_work: CloudAtWork, hetzner: Hetzner
) -> None:
    hetzner.create(ORDER)
    edge = FirewallRule(18789, ("192.0.2.1/32",))
    hetzner.admit(replace(ORDER.firewall, rules=(*ORDER.firewall.rules, edge)))
    (firewall,) = at_work.client().firewalls.get_all()
    opened = {rule.port: rule.source_ips for rule in firewall.rules or []}
    assert opened["18789"] == ["192.0.2.1/32"]
    assert len(firewall.applied_to or []) == 1


def test_a_firewall_in_step_is_not_looked_at_for_each_machine(
    at_work: CloudAtWork, hetzner: Hetzner
) -> None:
    hetzner.create(ORDER)
    asked = len(at_work.calls())
    hetzner.create(replace(ORDER, name="farm-s2"))
    assert len(at_work.calls()) == asked + 1
    (firewall,) = at_work.client().firewalls.get_all()
    assert len(firewall.applied_to or []) == 2


def test_a_firewall_that_is_gone_is_made_anew(at_work: CloudAtWork, hetzner: Hetzner) -> None:
    made = hetzner.create(ORDER).machine
    hetzner.delete(made.provider_id)
    eventually(lambda: hetzner.find(ORDER.name) is None)
    (firewall,) = at_work.client().firewalls.get_all()
    firewall.delete()
    hetzner.create(ORDER)
    (anew,) = at_work.client().firewalls.get_all()
    assert anew.id != firewall.id


def test_two_first_machines_at_once_share_one_firewall(
    at_work: CloudAtWork, hetzner: Hetzner
) -> None:
    at_work.order("/faults", {"match": ["POST /firewalls"], "delay": 0.5})
    slower = threading.Thread(target=hetzner.create, args=(ORDER,))
    slower.start()
    eventually(lambda: any(call.startswith("POST /firewalls") for call in at_work.calls()))
    hetzner.create(replace(ORDER, name="farm-s2"))
    slower.join(20)
    assert len(hetzner.machines(ORDER.labels)) == 2
    assert len(at_work.client().firewalls.get_all()) == 1


def test_a_locked_machine_is_deleted_later(at_work: CloudAtWork, hetzner: Hetzner) -> None:
    at_work.order("/faults", {"match": [CREATE], "action": {"delay": 3600}})
    machine = hetzner.create(ORDER).machine
    with pytest.raises(Transient) as refused:
        hetzner.delete(machine.provider_id)
    assert refused.value.code == "locked"


def test_an_action_that_failed_tells_why(at_work: CloudAtWork, hetzner: Hetzner) -> None:
    failure: JsonObject = {"code": "action_failed", "message": "the host died"}
    at_work.order("/faults", {"match": [CREATE], "action": failure})
    created = hetzner.create(ORDER)
    eventually(lambda: hetzner.actions(created.actions)[0].error)
    assert hetzner.actions(created.actions)[0].error == "action_failed: the host died"


def test_many_actions_are_asked_for_in_few_requests(at_work: CloudAtWork, hetzner: Hetzner) -> None:
    ids = [
        number
        for n in range(30)
        for number in hetzner.create(replace(ORDER, name=f"farm-s{n}")).actions
    ]
    before = len(at_work.calls())
    assert [action.id for action in hetzner.actions(ids)] == ids
    assert len(at_work.calls()) == before + 2


def test_threads_share_one_adapter(at_work: CloudAtWork, hetzner: Hetzner) -> None:
    hetzner.create(ORDER)
    found: list[bool] = []

    def look() -> None:
        found.extend(hetzner.find(ORDER.name) is not None for _ in range(5))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [True] * 20


def test_the_registry_knows_the_cloud_by_its_word(at_work: CloudAtWork) -> None:
    token = at_work.cloud.token
    provider = provider_for(Credentials("hetzner", token, at_work.endpoint + "/"))
    provider.verify()
    assert provider.name == "hetzner"
    assert token not in repr(Credentials("hetzner", token))


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (Credentials("oracle", "x"), "unknown_provider"),
        (Credentials("hetzner", " "), "no_token"),
        (Credentials("hetzner", "token\ntwo"), "bad_token"),
        (Credentials("hetzner", "t\u00f6ken"), "bad_token"),
    ],
)
def test_credentials_that_open_nothing_need_the_operator(
    credentials: Credentials, code: str
) -> None:
    with pytest.raises(NeedsOperator) as refused:
        provider_for(credentials)
    assert refused.value.code == code


def test_the_day_is_told_on_which_a_type_is_sold_no_more(hetzner: Hetzner) -> None:
    offers = {(one.server_type, one.location): one for one in hetzner.offers()}
    retired = offers["cpx11", "fsn1"]
    assert (retired.available, retired.retires_at is None) == (False, False)
    assert offers["cx23", "fsn1"].retires_at is None
