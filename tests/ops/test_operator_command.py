"""`farm people operator`: who runs the farm, named first by whoever has its machine at hand."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from farm.accounts.models import AuditEntry, Door, User
from farm.accounts.operators import operators
from farm.ops import people_commands, pool_commands
from tests.farm.web import scenes

pytestmark = pytest.mark.django_db
POOL = ("set", "small", "germany", "0")


@pytest.fixture(autouse=True)
def people() -> scenes.People:
    """The three, at a farm that nobody runs."""
    scenes.prices()
    return scenes.people()


def name(who: str, *words: str) -> Result:
    """Have somebody named."""
    return CliRunner().invoke(people_commands.app, ["operator", who, *words])


def set_pool(*words: str) -> Result:
    """What only who runs the farm may do."""
    return CliRunner().invoke(pool_commands.app, [*POOL, *words])


def test_the_first_is_named_on_the_farms_own_machine() -> None:
    refused = set_pool()
    assert refused.exit_code == 1
    assert "`farm people operator EMAIL`" in refused.stderr
    named = name("bob@example.org")
    assert (named.exit_code, named.stdout) == (0, "bob@example.org runs the farm now.\n")
    assert [one.email for one in operators()] == ["bob@example.org"]
    entry = AuditEntry.objects.get(verb="name operator")
    assert (entry.actor, entry.door) == (None, Door.CLI)
    assert set_pool().exit_code == 0


def test_later_ones_are_named_by_one_of_them() -> None:
    name("bob@example.org")
    refused = name("charlie@example.org", "--as", "alice@example.org")
    assert refused.exit_code == 1
    assert "name who may with --as" in refused.stderr
    assert operators().count() == 1
    assert name("charlie@example.org").exit_code == 0
    entry = AuditEntry.objects.filter(verb="name operator").latest("pk")
    assert entry.actor == User.objects.get(email="bob@example.org")
    assert operators().count() == 2


def test_nobody_of_that_address_is_told() -> None:
    refused = name("nobody@example.org")
    assert refused.exit_code == 1
    assert "nobody@example.org" in refused.stderr
    assert not operators().exists()
