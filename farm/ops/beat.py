"""`farm beat`: has Celery's workers look for what is due, in the foreground."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings

from farm.ops.answer import AsJson, Trouble, answering, new_app, print_json
from farm.ops.safety import refuse_unsafe_settings

app = new_app("Have Celery's workers look for what is due.")


@app.command()
def beat(*, as_json: AsJson = False) -> None:
    """Run until Ctrl-C or SIGTERM. One is enough for all workers; a second one does no harm."""
    with answering(as_json=as_json):
        refuse_unsafe_settings()
        if not settings.BROKER_URL:
            sentence = "Without BROKER_URL nobody hears a beat: `farm worker` looks by itself."
            raise Trouble(sentence, code="no_broker", field="BROKER_URL")
        if as_json:
            print_json({"beat": "started"})
        import_module("farm.celery").start("beat")
