"""`farm prepare`: what must be done before a new version of the farm may start."""

from __future__ import annotations

from django.core.management import call_command
from django.core.management.base import CommandError

from farm.ops.answer import AsJson, Trouble, answering, new_app, print_json
from farm.ops.safety import refuse_unsafe_settings
from farm.ops.translations import compile_translations

app = new_app("Bring database, translations and static files up to date.")


@app.command()
def prepare(*, as_json: AsJson = False) -> None:
    """Migrate the database, collect the static files, compile the translations; repeatable."""
    with answering(as_json=as_json):
        refuse_unsafe_settings()
        try:
            call_command("migrate", interactive=False, verbosity=0)
            call_command("collectstatic", interactive=False, verbosity=0)
        except CommandError as error:
            raise Trouble(str(error), code="prepare") from error
        compiled = compile_translations()
        if as_json:
            print_json({"compiled": [str(path) for path in compiled]})
