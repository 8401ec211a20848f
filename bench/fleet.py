"""Rows by the ten thousand for bench.billing, made by the database itself from one of each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db import connection, models

from farm.accounts.models import Account, User
from farm.accounts.services import account_of
from farm.agents.models import Agent, Server
from farm.billing.models import Assignment, Payer, PriceRow, UsageLine
from farm.billing.payers import default_payer
from tests.farm.billing.scenes import agent_of, machine_of

BEGAN = datetime(2026, 10, 1, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = 360
"""So many of a month, of a machine and its address, are 720 lines for each machine."""


def fleet(machines: int, payers: int) -> None:
    """So many agents with a machine each that serves since BEGAN, paid by so many payers."""
    owner = User.objects.create(email="bench@example.org")
    account = account_of(user=owner)
    first = agent_of(owner, account, "a0", BEGAN)
    server = machine_of(first, created=BEGAN, serving=BEGAN)
    Agent.objects.update(uid="a0", agreed_monthly_micros=10**9)
    Assignment.objects.update(agent_uid="a0", monthly_micros=10**9)
    PriceRow.objects.update(server_uid="s0")
    Server.objects.update(uid="s0")
    _payers(account, payers)
    times(Agent, machines, {"uid": "'a' || n", "host": "'h' || n", "name": "'a' || n"})
    _by_uid(Server, server.pk, machines)
    for row in PriceRow.objects.all():
        times(PriceRow, machines, {"server_uid": "'s' || n"}, row.pk)
    said = {"agent_uid": "'a' || n", "payer_id": f"{_first_payer()} + n % {payers}"}
    times(Assignment, machines, said)


def lines() -> None:
    """A month of started hours of all of them, each an hour's price: 7,200,000 for 10,000."""
    every = f"generate_series(0, {HOURS - 1}) AS h"
    with connection.cursor() as cursor:
        # Nobody asks for each of millions of rows whether its payer is there.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(_set_based(every))
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE")


def next_hour(hour: int) -> str:
    """The statement that writes that hour of everything there is, as the meter does: both kinds."""
    return _set_based(f"(SELECT {hour} AS h) AS one")


def _set_based(hours: str) -> str:
    """INSERT ... SELECT of lines from machines, agents, prices and who pays."""
    columns = {
        "server_uid": "s.uid",
        "hour_index": "h",
        "kind": "p.kind",
        "began_at": "s.created_at + h * interval '1 hour'",
        "month": "date '2026-10-01'",
        "agent_uid": "a.uid",
        "agent_name": "g.agent_name",
        "account_uid": "c.uid",
        "payer_id": "g.payer_id",
        "cost_centre": "g.cost_centre",
        "person_uid": "u.username",
        "person_email": "g.person_email",
        "micros": "p.hourly_micros",
        "cloud_micros": "p.hourly_micros",
        "currency": "p.currency",
        "price_id": "p.id",
        "capped": "false",
        "cause": "''",
    }
    return f"""INSERT INTO {UsageLine._meta.db_table} ({", ".join(columns)})
    SELECT {", ".join(columns.values())} FROM agents_server s
    JOIN agents_agent a ON a.id = s.agent_id
    JOIN billing_pricerow p ON p.server_uid = s.uid
    JOIN billing_assignment g ON g.agent_uid = a.uid
    JOIN billing_payer y ON y.id = g.payer_id
    JOIN accounts_account c ON c.id = y.account_id
    JOIN {User._meta.db_table} u ON u.id = g.person_id
    CROSS JOIN {hours}"""


def times(
    model: type[models.Model], many: int, other: Mapping[str, str], pk: int | None = None
) -> None:
    """So many rows in all, like the one that is there, or that of `pk`, but for these columns."""
    names = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    values = [other.get(name, f't."{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    one = pk or model._default_manager.order_by("pk").values_list("pk", flat=True)[0]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({quoted}) SELECT {', '.join(values)}"
            f" FROM {model._meta.db_table} t, generate_series(1, {many - 1}) AS n"
            f" WHERE t.id = {one}"
        )


def _by_uid(model: type[models.Model], pk: int, machines: int) -> None:
    """Each machine is that of the agent of its number."""
    agent = "(SELECT id FROM agents_agent WHERE agents_agent.uid = 'a' || n)"
    times(model, machines, {"uid": "'s' || n", "agent_id": agent}, pk)


def _payers(account: Account, many: int) -> None:
    """Trusted ones, billed by the month, one after another by their numbers."""
    default = default_payer(account)
    Payer.objects.filter(pk=default.pk).update(created_at=BEGAN)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_payer (uid, account_id, name, kind, is_default, created_at)"
            f" SELECT 'p' || n, {account.pk}, 'p' || n, 'invoice', false, %s"
            f" FROM generate_series(1, {many}) AS n ORDER BY n",
            [BEGAN],
        )


def _first_payer() -> int:
    return Payer.objects.exclude(is_default=True).order_by("pk").values_list("pk", flat=True)[0]
