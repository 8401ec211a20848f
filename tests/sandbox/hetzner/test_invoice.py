"""What the cloud would have invoiced, hour by hour and month by month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from hcloud.server_types import ServerType

from farm.sandbox.clock import Clock
from farm.sandbox.hetzner.invoice import Invoice, InvoiceLine, invoice_of, started_hours
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, cloud_at_work
from tests.sandbox.hetzner.test_servers import running

CX23_HOUR = 6_400
CX23_MONTH = 3_990_000
IPV4_HOUR = 800
NOON = datetime(2027, 1, 31, 12, 0, tzinfo=UTC)


@pytest.fixture
def noon() -> Clock:
    """A clock that stands at noon of the last day of a January, as good as still."""
    clock = Clock(speed=1e-6)
    clock.advance(NOON - clock.now())
    return clock


@pytest.fixture
def billed(tmp_path: Path, noon: Clock) -> Iterator[CloudAtWork]:
    """A cloud whose time the test moves."""
    with cloud_at_work(tmp_path / "hetzner", clock=noon) as started:
        yield started


def invoice(at_work: CloudAtWork) -> Invoice:
    """The invoice up to now."""

    async def read() -> Invoice:
        return invoice_of(at_work.cloud.books)

    return at_work.run(read())


def line(at_work: CloudAtWork, kind: str, month: str) -> InvoiceLine:
    """The only line of that kind and month."""
    (found,) = (one for one in invoice(at_work).lines if (one.kind, one.month) == (kind, month))
    return found


def pass_time(at_work: CloudAtWork, **passed: float) -> None:
    """Let time pass in the cloud."""

    async def advance() -> None:
        at_work.cloud.clock.advance(timedelta(**passed))

    at_work.run(advance())


def test_a_started_hour_is_a_full_hour(billed: CloudAtWork) -> None:
    server = running(billed.client())
    assert line(billed, "server", "2027-01").hours == 1
    pass_time(billed, hours=1, minutes=1)
    server.delete().wait_until_finished()
    pass_time(billed, hours=5)
    charged = line(billed, "server", "2027-01")
    assert (charged.hours, charged.micros, charged.name) == (2, 2 * CX23_HOUR, "one")
    address = line(billed, "primary_ip", "2027-01")
    assert (address.micros, address.server) == (2 * IPV4_HOUR, server.id)
    assert invoice(billed).micros == 2 * (CX23_HOUR + IPV4_HOUR)


def test_a_server_switched_off_costs_the_same(billed: CloudAtWork) -> None:
    running(billed.client()).power_off().wait_until_finished()
    pass_time(billed, hours=10, minutes=30)
    assert line(billed, "server", "2027-01").micros == 11 * CX23_HOUR


def test_a_month_costs_at_most_its_price(billed: CloudAtWork) -> None:
    running(billed.client())
    pass_time(billed, days=60)
    january, february = (line(billed, "server", f"2027-0{number}") for number in (1, 2))
    assert (january.hours, january.micros) == (12, 12 * CX23_HOUR)
    assert (february.hours, february.micros) == (28 * 24, CX23_MONTH)


def test_a_snapshot_is_charged_by_its_size(billed: CloudAtWork) -> None:
    server = running(billed.client())
    server.create_image(type="snapshot", description="copy").action.wait_until_finished()
    pass_time(billed, hours=11, minutes=59)
    charged = line(billed, "snapshot", "2027-01")
    assert (charged.hours, charged.monthly) == (12, 28_600)
    assert charged.micros == round(28_600 * 12 / 744)


def test_the_books_are_read_over_the_control_endpoint(billed: CloudAtWork) -> None:
    server = running(billed.client())
    project = next(iter(billed.cloud.books.projects)).id
    inventory = requests.get(f"{billed.control}/inventory?project={project}", timeout=5).json()
    assert [(one["id"], one["status"]) for one in inventory["servers"]] == [(server.id, "running")]
    assert {one["type"] for one in inventory["primary_ips"]} == {"ipv4", "ipv6"}
    read = requests.get(f"{billed.control}/invoice?project={project}", timeout=5).json()
    assert read["currency"] == "EUR"
    assert read["micros"] == sum(one["micros"] for one in read["lines"]) == CX23_HOUR + IPV4_HOUR
    nobody = requests.get(f"{billed.control}/invoice?project=7", timeout=5).json()
    assert (nobody["lines"], nobody["micros"]) == ([], 0)


@pytest.mark.parametrize(
    ("seconds", "hours"), [(0, 1), (1, 1), (3600, 1), (3601, 2), (7200, 2), (7201, 3)]
)
def test_hours_are_counted_from_the_second_of_creation(seconds: int, hours: int) -> None:
    created = datetime(2027, 3, 1, 10, 20, 30, tzinfo=UTC)
    spans = list(started_hours(created, created + timedelta(seconds=seconds)))
    assert [span.hours for span in spans] == [hours]


def test_an_hour_belongs_to_the_month_in_which_it_begins() -> None:
    created = datetime(2027, 12, 31, 22, 30, tzinfo=UTC)
    spans = list(started_hours(created, created + timedelta(hours=4)))
    assert [(span.label, span.hours) for span in spans] == [("2027-12", 2), ("2028-01", 2)]


def test_a_resized_server_is_charged_by_each_type_in_its_time(billed: CloudAtWork) -> None:
    server = running(billed.client())
    server.power_off().wait_until_finished()
    pass_time(billed, hours=1, minutes=30)
    server.change_type(ServerType(name="cx33"), upgrade_disk=False).wait_until_finished()
    pass_time(billed, hours=3)
    lines = [one for one in invoice(billed).lines if one.kind == "server"]
    assert [(one.hours, one.hourly) for one in lines] == [(2, CX23_HOUR), (3, 10_400)]
    assert {one.id for one in lines} == {server.id}


def test_a_snapshot_outlives_its_server_on_the_invoice(billed: CloudAtWork) -> None:
    server = running(billed.client())
    server.create_image(type="snapshot", description="asleep").action.wait_until_finished()
    server.delete().wait_until_finished()
    pass_time(billed, hours=10)
    assert (line(billed, "server", "2027-01").hours, line(billed, "snapshot", "2027-01").hours) == (
        1,
        10,
    )
