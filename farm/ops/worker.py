"""`farm worker`: drives agents and servers to what is wanted, in the foreground."""

from __future__ import annotations

import os
from enum import StrEnum
from importlib import import_module
from typing import Annotated

import typer
from django.conf import settings

from farm.agents.worker import run_worker
from farm.ops.answer import AsJson, answering, new_app, print_json
from farm.ops.endings import until_told
from farm.ops.safety import refuse_unsafe_settings

app = new_app("Drive agents and servers to what is wanted.")

# Workers need not know of each other: the rows say who has what.
ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat")


class Queue(StrEnum):
    """What a worker of Celery's listens to; turns of conversations and the like are `long`."""

    STEPS = "steps"
    LONG = "long"
    ALL = "all"


Threads = Annotated[
    int,
    typer.Option(
        min=1,
        max=64,
        help="How many things are done at once, instead of WORKER_THREADS.",
        show_default=False,
    ),
]
Listening = Annotated[
    Queue, typer.Option("--queue", help="With BROKER_URL: which of its two queues to work on.")
]


@app.command()
def worker(
    *,
    threads: Threads = settings.WORKER_THREADS,
    queue: Listening = Queue.ALL,
    as_json: AsJson = False,
) -> None:
    """Run until Ctrl-C or SIGTERM; any number of workers may run side by side.

    With BROKER_URL it is a worker of Celery's, which needs a `farm beat` somewhere; without, a
    plain loop.
    """
    with answering(as_json=as_json):
        refuse_unsafe_settings()
        if as_json:
            print_json({"worker": "started", "threads": threads})
        if settings.BROKER_URL:
            run_celery_worker(threads, queue)
        else:
            run_worker(until_told(), threads)


def run_celery_worker(places: int, queue: Queue, *more: str) -> None:
    """Work in so many processes until SIGTERM, which gives what is under way some seconds.

    What does not end in time is taken up again by whoever comes next.
    """
    # Read by Celery as it is imported, which is why it is not imported before.
    os.environ["REMAP_SIGTERM"] = "SIGQUIT"
    celery = import_module("farm.celery")
    queues = "steps,long" if queue is Queue.ALL else queue.value
    celery.start("worker", f"--concurrency={places}", f"--queues={queues}", *ALONE, *more)
