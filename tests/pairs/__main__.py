"""`python -m tests.pairs PYTEST-WORDS`: the tests on Postgres and Redis with Celery's workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.pairs.servers import servers


def main() -> int:
    """Run pytest beside servers of its own; its exit code."""
    # pytest hears Ctrl-C too, and says what it has to say before the servers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with servers() as running:
        environ = {
            **os.environ,
            "DATABASE_URL": running.database_url,
            "BROKER_URL": running.broker_url,
        }
        argv = [sys.executable, "-m", "pytest", *sys.argv[1:]]
        return subprocess.run(
            argv,
            env=environ,
            check=False,
            preexec_fn=_listen_to_ctrl_c,
        ).returncode


def _listen_to_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
