"""`farm backup`: the farm's backup of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from django.utils import timezone

from farm.ops.answer import AsJson, Trouble, answering, new_app, print_json
from farm.rescue.keeping import back_up
from farm.rescue.refusals import RescueRefused

app = new_app("Back up the farm itself: database, secrets and settings.")

Folder = Annotated[
    Path | None,
    typer.Option("--to", help="Where to, instead of FARM_BACKUP_FOLDER.", show_default=False),
]


@app.command()
def backup(*, to: Folder = None, as_json: AsJson = False) -> None:
    """Make an archive of everything but the agents' own backups, while the farm works on."""
    with answering(as_json=as_json):
        try:
            kept = back_up(timezone.now(), (to or settings.FARM_BACKUP_FOLDER).resolve())
        except RescueRefused as refused:
            raise Trouble(refused.sentence, code=refused.code) from None
        if as_json:
            print_json(kept)
        else:
            typer.echo(f"{kept.path} ({kept.size / 1e6:.1f} MB){' and in S3' * kept.in_bucket}")
