"""`farm drill`: whether the newest backup of the farm can be restored, tried."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from django.utils import timezone

from farm.ops.answer import AsJson, Trouble, answering, new_app, print_json
from farm.rescue.drills import Drill, drill
from farm.rescue.refusals import RescueRefused

app = new_app("Try whether the newest backup of the farm can be restored.")

Folder = Annotated[
    Path | None,
    typer.Option("--from", help="Where it is, instead of FARM_BACKUP_FOLDER.", show_default=False),
]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", help="The age identity that it is sealed to.", show_default=False),
]


@app.command("drill")
def drill_command(
    *, source: Folder = None, identity: Identity = None, as_json: AsJson = False
) -> None:
    """Restore it into a scratch database, count its rows, open its secrets, throw it away.

    The farm works on, and its morning tells when this was last done. A sealed backup needs its
    identity; without one another like it is made, restored and thrown away.
    """
    with answering(as_json=as_json):
        folder = (source or settings.FARM_BACKUP_FOLDER).resolve()
        try:
            seen = drill(timezone.now(), folder, identity)
        except RescueRefused as refused:
            raise Trouble(refused.sentence, code=refused.code) from None
        if as_json:
            print_json(seen)
        else:
            typer.echo(_sentence(seen))


def _sentence(seen: Drill) -> str:
    which = seen.archive or "One made like the newest, which is sealed,"
    return (
        f"{which} came back whole: {seen.rows} rows in {seen.tables} tables,"
        f" {seen.secrets} secrets opened."
    )
