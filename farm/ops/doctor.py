"""`farm doctor`: looks for trouble, and says what mends it."""

from __future__ import annotations

from dataclasses import asdict

import typer

from farm.ops import doctor_backups as backups
from farm.ops import doctor_fence as around
from farm.ops import doctor_fleet as fleet
from farm.ops import doctor_house as house
from farm.ops.agent_views import new_table
from farm.ops.answer import AsJson, console, new_app, print_json
from farm.ops.findings import Finding

app = new_app("Look for trouble, and say what mends it.")

EXAMINATIONS = (
    house.python,
    house.checked_settings,
    house.database,
    house.translations,
    house.disk,
    fleet.site,
    fleet.worker,
    fleet.cloud,
    fleet.offers,
    fleet.retiring,
    fleet.guests,
    around.fence,
    backups.kept,
)


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Look at everything a farm needs; exit 1 if something is to be done."""
    found = [finding for examine in EXAMINATIONS for finding in examine()]
    trouble = any(finding.is_trouble for finding in found)
    if as_json:
        print_json({"well": not trouble, "findings": [asdict(finding) for finding in found]})
    else:
        _show(found)
    raise typer.Exit(1 if trouble else 0)


def _show(found: list[Finding]) -> None:
    """What is to be done first; what is fine in grey."""
    table = new_table("", "", "", head=False)
    for finding in sorted(found, key=lambda finding: not finding.is_trouble):
        mark, style = ("✗", "bold") if finding.is_trouble else ("✓", "dim")
        table.add_row(mark, finding.part, f"{finding.sentence} {finding.remedy}", style=style)
    console().print(table)
