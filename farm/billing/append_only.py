"""The database's own refusal to change or delete what is posted, on SQLite and on Postgres."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connections

LINES, TRANSFERS = "billing_usageline", "billing_transfer"
REFUSALS = {
    LINES: "a usage line is never changed or deleted",
    TRANSFERS: "a transfer is never changed or deleted",
}
FOREIGN = "a transfer is in the currency of both its accounts"
_OTHER_CURRENCY = """EXISTS (SELECT 1 FROM billing_ledgeraccount
    WHERE id IN (NEW.debit_id, NEW.credit_id) AND currency <> NEW.currency)"""


def guard_lines(*, using: str, **_: object) -> None:
    """Put the refusals into the database once the tables are there; safe to repeat."""
    connection = connections[using]
    there = connection.introspection.table_names()
    write = _for_sqlite if connection.vendor == "sqlite" else _for_postgres
    with connection.cursor() as cursor:
        for table in filter(there.__contains__, REFUSALS):
            for statement in write(table):
                cursor.execute(statement)


def unguard_lines(using: str) -> None:
    """Take them out again: a test's database is emptied after it."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for table in REFUSALS:
                for verb in ("update", "delete"):
                    cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")


def _for_sqlite(table: str) -> Iterator[str]:
    for verb in ("update", "delete"):
        yield f"""CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, '{REFUSALS[table]}'); END"""
    if table == TRANSFERS:
        yield f"""CREATE TRIGGER IF NOT EXISTS {table}_one_currency BEFORE INSERT ON {table}
        WHEN {_OTHER_CURRENCY} BEGIN SELECT RAISE(ABORT, '{FOREIGN}'); END"""


def _for_postgres(table: str) -> Iterator[str]:
    yield _refusing(f"{table}_refuse", f"RAISE EXCEPTION '{REFUSALS[table]}' {_CODE};")
    yield f"""CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_refuse()"""
    if table == TRANSFERS:
        check = f"IF {_OTHER_CURRENCY} THEN RAISE EXCEPTION '{FOREIGN}' {_CODE}; END IF;"
        yield _refusing(f"{table}_check", f"{check} RETURN NEW;")
        yield f"""CREATE OR REPLACE TRIGGER {table}_one_currency BEFORE INSERT ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_check()"""


_CODE = "USING ERRCODE = 'integrity_constraint_violation'"


def _refusing(name: str, body: str) -> str:
    return f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN {body} END $$"""
