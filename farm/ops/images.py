"""`farm images`: images of machines that hold the runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from django.utils import timezone
from rich import box
from rich.table import Table

from farm.accounts.models import Door
from farm.agents.images import BakingFailed, build_images, places_in_use
from farm.agents.models import ProviderProject
from farm.agents.selectors.images import ImageView, images, view_of
from farm.agents.selectors.projects import project_named
from farm.ops.answer import AsJson, Trouble, console, new_app, print_json
from farm.ops.refusing import serving
from provisioning.errors import ProvisioningError

app = new_app("Build and show images of machines that hold the runtime.")


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Show every image of machines that hold the runtime; `build` makes more."""
    if context.invoked_subcommand is None:
        list_images(as_json=False)


@app.command()
def build(
    *,
    provider: Annotated[str, typer.Option(help="At that cloud only.")] = "",
    region: Annotated[str, typer.Option(help="For that region only.")] = "",
    project: Annotated[str, typer.Option(help="In that project only.")] = "",
    timeout: Annotated[int, typer.Option(min=1, help="For each stage, in seconds.")] = 1200,
    as_json: AsJson = False,
) -> None:
    """Bake an image of the pinned runtime, try it, and start machines from it from then on.

    Without options one for each region in use, in each project. It buys two machines for the
    minutes that it takes, and each image costs a little every month. What is older is removed.
    """
    with serving(as_json=as_json):
        places = places_in_use(provider=provider, region=region, project=_project(project))
        tell = _silent if as_json else typer.echo
        try:
            built = build_images(
                actor=None, door=Door.CLI, places=places, seconds=timeout, tell=tell
            )
        except (BakingFailed, ProvisioningError) as error:
            raise Trouble(f"No image was made. {error}", code="image") from error
        _show([view_of(row, timezone.now()) for row in built], as_json=as_json)


@app.command("list")
def list_images(*, as_json: AsJson = False) -> None:
    """Show every image: where it boots, what it holds, its age, its size and what it costs."""
    with serving(as_json=as_json):
        _show(images(), as_json=as_json)


def _project(word: str) -> ProviderProject | None:
    if not word:
        return None
    row = project_named(word)
    if row is None:
        raise Trouble(f"There is no project {word}: see `farm projects list`.", code="no_project")
    return row


def _show(shown: Sequence[ImageView], *, as_json: bool) -> None:
    if as_json:
        print_json(shown)
    elif not shown:
        typer.echo(
            "There is none: machines start from plain Debian and install the runtime themselves,"
            " which takes minutes. `farm images build` makes one."
        )
    else:
        columns = ("Project", "Place", "Runtime", "Age", "Size", "A month", "State")
        table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in shown:
            table.add_row(*_cells(row))
        console().print(table)


def _cells(row: ImageView) -> tuple[str, ...]:
    return (
        row.project,
        row.location or "everywhere",
        f"OpenClaw {row.runtime_version}",
        _age(row),
        f"{row.gigabytes:.1f} GB" if row.gigabytes else "",
        f"{row.monthly_micros / 1_000_000:.2f} {row.currency}" if row.currency else "",
        row.state,
    )


def _age(row: ImageView) -> str:
    if row.good_at is None:
        return ""
    hours = (timezone.now() - row.good_at).total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} h"


def _silent(_line: str) -> None:
    """Programs read the end only."""
