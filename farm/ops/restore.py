"""`farm restore`: a farm brought back from its backup."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from farm.ops.answer import AsJson, Trouble, answering, new_app, print_json
from farm.ops.children import farm_argv
from farm.rescue.keeping import look_around, restore_archive
from farm.rescue.refusals import RescueRefused

app = new_app("Bring a farm back from its backup, onto an empty machine.")

Archive = Annotated[Path, typer.Argument(help="A backup made by `farm backup`.")]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", help="The age identity that it is sealed to.", show_default=False),
]


@app.command()
def restore(archive: Archive, *, identity: Identity = None, as_json: AsJson = False) -> None:
    """Bring it all back: people, agents, money, settings. Stop the farm's services before."""
    with answering(as_json=as_json):
        try:
            manifest = restore_archive(archive.resolve(), identity)
        except RescueRefused as refused:
            raise Trouble(refused.sentence, code=refused.code) from None
        _prepare()
        look_around(timezone.now())
        if as_json:
            print_json(manifest)
        else:
            typer.echo(f"This is {manifest.site} as it was at {manifest.made_at}. Start it now.")


def _prepare() -> None:
    """In a process of its own, which reads the secrets and answers that were brought back."""
    done = subprocess.run(farm_argv("prepare"), capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise Trouble(f"The rows are back, but `farm prepare` says: {said}", code="prepare")
