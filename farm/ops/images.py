"""`farm images`: server images that hold the runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from farm.accounts.models import Door
from farm.agents.images import BakingFailed, build_image, built_image
from farm.catalog import catalog
from farm.ops.answer import AsJson, Trouble, new_app, print_json
from farm.ops.refusing import serving
from provisioning.errors import ProvisioningError

app = new_app("Build server images that hold the runtime.")


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image at the cloud; `id` is "" where there is none."""

    id: str
    runtime_version: str
    node_version: str


@app.callback()
def images() -> None:
    """Build server images that hold the runtime."""


@app.command()
def build(
    *,
    timeout: Annotated[int, typer.Option(min=1, help="For each stage, in seconds.")] = 1200,
    as_json: AsJson = False,
) -> None:
    """Bake an image of the pinned runtime; machines asked for from then on start from it.

    It buys a machine for the minutes it takes, and the image costs a little every month.
    """
    with serving(as_json=as_json):
        tell = _silent if as_json else typer.echo
        try:
            image = build_image(actor=None, door=Door.CLI, seconds=timeout, tell=tell)
        except (BakingFailed, ProvisioningError) as error:
            raise Trouble(f"No image was made. {error}", code="image") from error
        _show(image, as_json=as_json)


@app.command()
def show(*, as_json: AsJson = False) -> None:
    """Show the image that new machines start from; exit 1 if there is none."""
    with serving(as_json=as_json):
        try:
            image = built_image()
        except ProvisioningError as error:
            raise Trouble(str(error), code=error.code) from error
        if image is None:
            raise Trouble(
                "There is none: machines start from plain Debian and install the runtime"
                " themselves. `farm images build` makes one.",
                code="no_image",
            )
        _show(image, as_json=as_json)


def _show(image: str, *, as_json: bool) -> None:
    shown = BuiltImage(image, catalog().runtime_version, catalog().node_version)
    if as_json:
        print_json(shown)
    else:
        typer.echo(f"New machines start from image {image}: OpenClaw {shown.runtime_version}.")


def _silent(_line: str) -> None:
    """Programs read the end only."""
