"""What Scaleway's refusals become, and that what breaks off half-way is completed or removed."""

from __future__ import annotations

from collections.abc import Iterator
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
from provisioning.provider import MachineStatus
from provisioning.registry import Credentials, provider_for
from provisioning.scaleway import Scaleway
from tests.contract.subjects import DEV1_M, NAME, OURS, order_of
from tests.sandbox.hetzner.cloud_at_work import eventually
from tests.sandbox.scaleway.scaleway_at_work import ScalewayAtWork, scaleway_at_work

ORDER = order_of(DEV1_M)
CREATE = ["POST", "/servers name="]
UID = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
# What a create in a fresh project writes, in this order.
WRITES = (
    "POST /security_groups",
    "PUT rules",
    "POST /servers name",
    "POST /ips",
    "PATCH /volumes/",
)


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[ScalewayAtWork]:
    """A sandbox cloud."""
    with scaleway_at_work(tmp_path) as started:
        yield started


@pytest.fixture
def scaleway(at_work: ScalewayAtWork) -> Scaleway:
    """The adapter, pointed there."""
    return at_work.provider()


def fault(at_work: ScalewayAtWork, **more: object) -> None:
    """Something goes wrong at the next matching call."""
    order: JsonObject = {"match": CREATE, **more}  # type: ignore[dict-item]
    at_work.order("/faults", order)


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (429, "too_many_requests", Transient),
        (409, "transient_state", Transient),
        (412, "out_of_stock", NoCapacity),
        (403, "quotas_exceeded", NeedsOperator),
        (403, "permissions_denied", NeedsOperator),
        (401, "denied_authentication", NeedsOperator),
        (423, "locked", NeedsOperator),
        (400, "invalid_request_error", Rejected),
        (500, "internal_error", AnswerLost),
        (503, "", AnswerLost),
    ],
)
def test_each_type_of_refusal_is_sorted_by_what_we_do(
    at_work: ScalewayAtWork,
    scaleway: Scaleway,
    status: int,
    kind: str,
    error: type[ProvisioningError],
) -> None:
    fault(at_work, answer={"status": status, "code": kind})
    with pytest.raises(ProvisioningError) as refused:
        scaleway.create(ORDER)
    assert type(refused.value) is error


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", [w.split() for w in WRITES], ids=WRITES)
def test_a_create_that_breaks_off_is_completed_by_the_next(
    at_work: ScalewayAtWork, scaleway: Scaleway, write: list[str], when: str
) -> None:
    fault(at_work, match=write, reset=True, when=when)
    with pytest.raises(AnswerLost):
        scaleway.create(ORDER)
    machine = scaleway.create(ORDER).machine
    eventually(lambda: is_now(scaleway, MachineStatus.RUNNING))
    assert len(scaleway.billables(OURS)) == 3
    eventually(lambda: ended(scaleway, machine.provider_id))
    assert scaleway.billables({}) == ()


def test_what_a_broken_off_create_left_is_known_as_unfinished_and_can_go(
    at_work: ScalewayAtWork, scaleway: Scaleway
) -> None:
    fault(at_work, match=["POST", "/ips"], reset=True)
    with pytest.raises(AnswerLost):
        scaleway.create(ORDER)
    remnant = scaleway.find(NAME)
    assert remnant
    assert (remnant.status, remnant.ipv4) == (MachineStatus.UNFINISHED, None)
    assert scaleway.machines(OURS) == (remnant,)
    eventually(lambda: ended(scaleway, remnant.provider_id))
    assert scaleway.billables({}) == ()


def test_an_order_that_is_refused_was_charged_for_nothing(
    at_work: ScalewayAtWork, scaleway: Scaleway
) -> None:
    fault(at_work, match=["POST", "/servers"], answer={"status": 409, "code": "out_of_stock"})
    with pytest.raises(NoCapacity):
        scaleway.create(ORDER)
    assert at_work.books("/scaleway/invoice")["lines"] == []


def is_now(scaleway: Scaleway, status: MachineStatus) -> bool:
    """Whether the machine is shown so."""
    machine = scaleway.find(NAME)
    return machine is not None and machine.status is status


def ended(scaleway: Scaleway, provider_id: str) -> bool:
    """As the engine does it: delete, look, and delete again what is not on its way."""
    if scaleway.find(NAME) is None:
        return True
    scaleway.delete(provider_id)
    return False


def test_a_page_of_a_proxy_is_no_answer(at_work: ScalewayAtWork, scaleway: Scaleway) -> None:
    html = {"status": 502, "text": "<html>Bad gateway</html>"}
    fault(at_work, match=["GET"], answer=html, times=None)
    with pytest.raises(Transient):
        scaleway.find(NAME)


def test_a_list_that_fails_once_is_asked_again(at_work: ScalewayAtWork, scaleway: Scaleway) -> None:
    fault(at_work, match=["GET"], reset=True)
    assert scaleway.find(NAME) is None


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (Credentials("scaleway", "", access_key="SCW", project=UID), "no_token"),
        (Credentials("scaleway", OTHER, access_key="nonsense", project=UID), "bad_token"),
    ],
)
def test_credentials_that_cannot_be_are_told_without_their_secret(
    credentials: Credentials, code: str
) -> None:
    with pytest.raises(NeedsOperator) as refused:
        provider_for(credentials)
    assert refused.value.code == code
    assert OTHER not in str(refused.value)


def test_a_strange_key_is_told(at_work: ScalewayAtWork) -> None:
    project = at_work.cloud.project
    stranger = Scaleway(
        access_key=project.access_key,
        secret_key=UID,
        project=project.uid,
        endpoint=at_work.endpoint,
    )
    with pytest.raises(NeedsOperator) as refused:
        stranger.verify()
    assert refused.value.code == "denied_authentication"
