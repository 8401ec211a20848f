"""Looks for a text everywhere on an agent's machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from tests.ops.farms import Surroundings

# The pattern comes on standard input: on a command line the search would find itself.
SEARCH = """
IFS= read -r key
printf '%s' "$key" | grep -rlFf - / --exclude-dir=proc --exclude-dir=sys 2>/dev/null
for file in /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do
  if printf '%s' "$key" | grep -qaFf - "$file" 2>/dev/null; then echo "$file"; fi
done
true
"""


def found_on(farm: Surroundings, agent: str, operator: str, text: str) -> Sequence[str]:
    """Where the text stands: every readable file, and every process's environment."""
    done = subprocess.run(
        [sys.executable, "-m", "farm", "agents", "ssh", agent, "--as", operator, SEARCH],
        env=farm.environ,
        input=f"{text}\n",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
