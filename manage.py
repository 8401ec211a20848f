#!/usr/bin/env python
"""Django's own command line, for migrations and the shell; people use `farm`."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
    execute_from_command_line(sys.argv)
