"""What the cloud charges, as its own billing API and the official client show it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from scaleway import Client, ScalewayException
from scaleway.billing.v2beta1 import BillingV2Beta1API, BillingV2Beta1FinOpsAPI
from scaleway_core.bridge import Money

from farm.sandbox.clock import Clock
from tests.sandbox.scaleway.scaleway_at_work import ScalewayAtWork, scaleway_at_work
from tests.sandbox.scaleway.test_official import _running


@pytest.fixture
def clock() -> Clock:
    """A clock that a test moves."""
    return Clock()


@pytest.fixture
def at_work(tmp_path: Path, clock: Clock) -> Iterator[ScalewayAtWork]:
    """A cloud with a machine of ours that ran for some months."""
    with scaleway_at_work(tmp_path, clock=clock) as started:
        _running(started.provider())
        clock.advance(timedelta(days=62))
        yield started


@pytest.fixture
def client(at_work: ScalewayAtWork) -> Client:
    """The official client."""
    project = at_work.cloud.project
    return Client(
        access_key=project.access_key,
        secret_key=project.secret_key,
        api_url=at_work.endpoint,
        default_project_id=project.uid,
        default_organization_id=project.uid,
    )


def micros(money: Money | None) -> int:
    """An amount in millionths."""
    assert money
    return int(money.units) * 1_000_000 + int(money.nanos) // 1000


def invoiced(at_work: ScalewayAtWork) -> int:
    """What the cloud's own invoice comes to, in millionths."""
    lines = at_work.books("/scaleway/invoice")["lines"]
    return sum(int(str(line["micros"])) for line in lines)


def test_charges_come_to_the_invoice(at_work: ScalewayAtWork, client: Client) -> None:
    charges = BillingV2Beta1FinOpsAPI(client).list_charges().charges
    assert sum(micros(charge.price) for charge in charges) == invoiced(at_work)
    resource = charges[0].resource_id
    own = BillingV2Beta1FinOpsAPI(client).list_charges(resource_ids=[resource]).charges
    assert {charge.resource_id for charge in own} == {resource}
    assert len(own) < len(charges)


def test_each_month_has_an_invoice_and_only_the_last_is_a_draft(
    at_work: ScalewayAtWork, client: Client
) -> None:
    invoices = BillingV2Beta1API(client).list_invoices().invoices
    assert [invoice.state for invoice in invoices][-1] == "draft"
    assert {invoice.state for invoice in invoices[:-1]} == {"issued"}
    assert sum(micros(invoice.total_untaxed) for invoice in invoices) == invoiced(at_work)


def test_consumption_is_told_by_month_and_category(
    at_work: ScalewayAtWork, client: Client, clock: Clock
) -> None:
    api = BillingV2Beta1API(client)
    months = {str(line["month"]) for line in at_work.books("/scaleway/invoice")["lines"]}
    told = [one for month in months for one in _consumed(api, month)]
    assert sum(micros(value) for value in told) == invoiced(at_work)
    assert len(api.list_consumptions(category_name="Storage").consumptions) == 1
    assert api.list_consumptions(billing_period="2001-01").consumptions == []
    assert f"{clock.now():%Y-%m}" in months


def _consumed(api: BillingV2Beta1API, month: str) -> list[Money | None]:
    return [one.value for one in api.list_consumptions(billing_period=month).consumptions]


def test_another_organization_is_not_told(client: Client) -> None:
    stranger = "11111111-2222-4333-8444-555555555555"
    with pytest.raises(ScalewayException) as refused:
        BillingV2Beta1API(client).list_consumptions(organization_id=stranger)
    assert refused.value.status_code == 403
