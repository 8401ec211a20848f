"""`farm worker`: drives agents and servers to what is wanted, in the foreground."""

from __future__ import annotations

from typing import Annotated

import typer
from django.conf import settings

from farm.agents.worker import run_worker
from farm.ops.answer import AsJson, answering, new_app, print_json
from farm.ops.endings import until_told
from farm.ops.safety import refuse_unsafe_settings

app = new_app("Drive agents and servers to what is wanted.")

Threads = Annotated[
    int,
    typer.Option(
        min=1,
        max=64,
        help="How many things are done at once, instead of WORKER_THREADS.",
        show_default=False,
    ),
]


@app.command()
def worker(*, threads: Threads = settings.WORKER_THREADS, as_json: AsJson = False) -> None:
    """Run until Ctrl-C or SIGTERM; any number of workers may run side by side."""
    with answering(as_json=as_json):
        refuse_unsafe_settings()
        if as_json:
            print_json({"worker": "started", "threads": threads})
        run_worker(until_told(), threads)
