"""A statement for other people's spreadsheets: exact amounts, one row per agent or per hour."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from farm.billing.ai_rows import AiDay
from farm.billing.models import UsageLine
from farm.billing.statements import Statement, ai_days, lines_of

MICROS = Decimal(1_000_000)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def statement_csv(statement: Statement) -> str:
    """One row per person, cost centre and agent; amounts net, with all six decimals."""
    head = ["month", "payer", "person", "cost_centre", "agent", "agent_uid", "machine_hours"]
    head += ["machine", "ai_calls", "ai", "fee", "total", "currency"]
    return _csv(head, _agents(statement))


def hours_csv(statement: Statement) -> str:
    """One row per hour of a machine and kind, and per day of AI; they add up to the statement."""
    head = ["began_at", "payer", "person", "cost_centre", "agent", "agent_uid", "server_uid"]
    head += ["kind", "amount", "currency"]
    machine = (_line(statement, line) for line in lines_of(statement.payer, statement.month))
    ai = (_day(statement, day) for day in ai_days(statement.payer, statement.month))
    return _csv(head, [*machine, *ai])


def exact(micros: int) -> str:
    """Micro-units as a decimal that loses nothing: 4.123456."""
    return f"{Decimal(micros) / MICROS:.6f}"


def _agents(statement: Statement) -> Iterable[Sequence[str]]:
    month = f"{statement.month:%Y-%m}"
    for person in statement.people:
        for agent in person.agents:
            who = [month, statement.payer.name, person.email, person.cost_centre]
            sums = [exact(agent.machine), str(agent.calls), exact(agent.ai)]
            sums += [exact(agent.fee), exact(agent.total)]
            yield [*who, agent.name, agent.uid, str(agent.hours), *sums, statement.currency]


def _line(statement: Statement, line: UsageLine) -> Sequence[str]:
    began = line.began_at.isoformat()
    who = [began, statement.payer.name, line.person_email, line.cost_centre, line.agent_name]
    return [*who, line.agent_uid, line.server_uid, line.kind, exact(line.micros), line.currency]


def _day(statement: Statement, day: AiDay) -> Sequence[str]:
    began = day.day.isoformat()
    who = [began, statement.payer.name, day.person_email, day.cost_centre, day.agent_name]
    kind = f"ai {day.provider}/{day.model}"
    return [*who, day.agent_uid, "", kind, exact(day.cost_micros), statement.currency]


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def harmless(cell: str) -> str:
    """A spreadsheet would run a name such as "=HYPERLINK(...)": a quote in front keeps it text."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
