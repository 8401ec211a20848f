"""Turns what a service refuses into what the command line says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import PermissionDenied
from django.db.utils import OperationalError

from farm.accounts.operators import operators
from farm.accounts.permissions import Action
from farm.agents.refusals import Refused
from farm.ops.answer import Trouble, answering

OPTIONS = {
    "name": "NAME",
    "model_provider": "--model",
    "model_key": "--model-key-file",
    "telegram_bot_token": "--telegram-token-file",
    "email": "EMAIL",
    "payer_uid": "--payer",
    "shared_key_uid": "--shared-key",
    "ai_budget_micros": "--budget",
    "most_uses": "--uses",
}


@contextmanager
def serving(*, as_json: bool) -> Iterator[None]:
    """`answering` for commands that call services: what they refuse is told at its option."""
    with answering(as_json=as_json):
        try:
            yield
        except Refused as refused:
            raise _told(refused) from None
        except PermissionDenied as denied:
            raise Trouble(_whose(denied), code="denied", field="as") from None
        except OperationalError as error:
            raise Trouble(
                f"The database does not answer ({error}): is it prepared? `farm prepare` does it.",
                code="database",
            ) from None


def _whose(denied: PermissionDenied) -> str:
    if denied.args == (Action.OPERATE_FARM,) and not operators().exists():
        return "Nobody runs this farm yet: `farm people operator EMAIL` says who does."
    return "This is not yours to do: name who may with --as."


def _told(refused: Refused) -> Trouble:
    option = OPTIONS.get(refused.field, f"--{refused.field.replace('_', '-')}")
    sentence = str(refused.sentence)
    told = f"{option}: {sentence}" if refused.field else sentence
    return Trouble(told, code=refused.code, field=refused.field)
