"""The Celery application: hears the bell and beats the time, where BROKER_URL names a broker."""

from __future__ import annotations

import logging
import os

from celery import Celery, signals
from django.conf import settings
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")

app = Celery("farm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["farm.agents"])


@signals.worker_init.connect
@signals.beat_init.connect
def stay_shut(**_: object) -> None:
    """Nothing starts while a setting is missing or unsafe; SystemCheckError says which."""
    call_command("check", verbosity=0)


def start(*words: str) -> None:
    """A command of Celery's in the foreground, at the broker and as wordy as the settings say.

    By itself Celery believes the environment first, and would listen where nobody rings.
    """
    level = logging.getLevelName(logging.getLogger().level)
    app.start(["--quiet", f"--broker={settings.BROKER_URL}", *words, f"--loglevel={level}"])
