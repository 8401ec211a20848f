"""The database refuses to change or delete what is posted: also after its tables were made anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import Error, connection, models, transaction

from farm.agents.reconciler.metering import meter
from farm.billing.append_only import unguard_lines
from farm.billing.ledger import post
from farm.billing.ledger_rows import Transfer
from farm.billing.models import UsageLine
from tests.farm.billing.scenes import NOON, agent_of, machine_of, swept
from tests.farm.web.scenes import people

WEEK = timedelta(days=7)
WHOLE = {
    "sqlite": {
        "billing_usageline_no_update",
        "billing_usageline_no_delete",
        "billing_transfer_no_update",
        "billing_transfer_no_delete",
        "billing_transfer_one_currency",
    },
    "postgresql": {
        "billing_usageline_append_only",
        "billing_transfer_append_only",
        "billing_transfer_one_currency",
    },
}


DEEDS: Mapping[type[models.Model], tuple[str, str]] = {
    UsageLine: ("UPDATE billing_usageline SET micros = 0", "DELETE FROM billing_usageline"),
    Transfer: ("UPDATE billing_transfer SET amount_micros = 1", "DELETE FROM billing_transfer"),
}


def triggers() -> set[str]:
    """Those on tables of this room, by name."""
    asked = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return {str(name) for (name,) in cursor.fetchall() if str(name).startswith("billing_")}


def _change(model: type[models.Model], name: str, longest: int) -> None:
    """As a migration does it: SQLite makes the whole table anew for that."""
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    other = models.CharField(max_length=longest, blank=True)
    other.set_attributes_from_name(name)
    other.model = model
    with connection.schema_editor() as editor:
        editor.alter_field(model, field, other)


@pytest.fixture
def remade(transactional_db: None) -> Iterator[None]:
    """Both tables, made anew by a migration that ends as every one does."""
    agent = agent_of((us := people()).alice, us.account)
    machine_of(agent, serving=NOON)
    swept(NOON + WEEK)
    meter(NOON + WEEK)
    post(NOON + WEEK)
    _change(UsageLine, "agent_name", 99)
    _change(Transfer, "reason", 99)
    call_command("migrate", verbosity=0)
    yield
    _change(UsageLine, "agent_name", 40)
    _change(Transfer, "reason", 200)
    call_command("migrate", verbosity=0)
    # So that this test's rows can go.
    unguard_lines("default")


@pytest.mark.usefixtures("remade")
def test_after_a_migration_that_makes_tables_anew_nobody_changes_a_line() -> None:
    assert triggers() >= WHOLE[connection.vendor]
    for model in (UsageLine, Transfer):
        before = list(model._default_manager.order_by("pk").values_list())
        assert before
        for deed in DEEDS[model]:
            with (
                pytest.raises(Error, match="never changed or deleted"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(deed)
        assert list(model._default_manager.order_by("pk").values_list()) == before


def test_a_trigger_that_somebody_took_out_is_back_after_the_next_migration(db: None) -> None:
    unguard_lines("default")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER billing_usageline_append_only ON billing_usageline")
    assert not triggers() >= WHOLE[connection.vendor]
    call_command("migrate", verbosity=0)
    assert triggers() >= WHOLE[connection.vendor]
