"""The OpenAPI document is true: whatever it allows is answered as it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings

from farm.accounts.models import Door
from farm.accounts.services import NewInvitation
from farm.agents.models import Agent
from farm.agents.services import invite
from farm.billing.payers import default_payer
from farm.wsgi import application
from tests.farm.api.conftest import Caller
from tests.farm.web import scenes

if TYPE_CHECKING:
    from schemathesis.specs.openapi.schemas import OpenApiCase

document = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application)
REFUSED_IN_GOOD_ORDER = ["2xx", "401", "403", "404", "422", "5xx"]
document.config.checks.positive_data_acceptance.expected_statuses = REFUSED_IN_GOOD_ORDER


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """The test's own connection stays open between requests, as Django's own client has it."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.fixture
def nino(people: scenes.People) -> Agent:
    """Alice's running agent."""
    return scenes.running(scenes.agent(people.alice))


@document.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_keeps_its_word(case: OpenApiCase, alice: Caller, nino: Agent) -> None:
    _sometimes_what_is_there(case, nino)
    headers = {"Authorization": alice.authorization}
    case.call_and_validate(headers=headers)


def _sometimes_what_is_there(case: OpenApiCase, nino: Agent) -> None:
    """Every other address names a thing that Alice may see."""
    given = case.path_parameters
    if "uid" not in given or len(given["uid"]) % 2:
        return
    account = nino.account
    is_of_agent = case.path.startswith("/api/v1/agents/")
    given["uid"] = nino.uid if is_of_agent else account.uid
    if "payer" in given:
        given["payer"] = default_payer(account).uid
    if "month" in given:
        given["month"] = "2026-11"
    if "invitation" in given:
        offer = NewInvitation()
        opened = invite(actor=nino.owner, door=Door.CLI, account=account, offer=offer)
        given["invitation"] = opened.invitation.uid
