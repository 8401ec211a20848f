"""The door that gunicorn opens; it stays shut while a setting is missing or unsafe."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
application = get_wsgi_application()
call_command("check", verbosity=0)
