"""What the supervisor promises of the processes it starts, shown with real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from farm.ops.children import Child, Job
from farm.ops.supervisor import Supervisor

DEADLINE = 30.0


def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds, or fail."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def python(program: str, *, name: str = "job", ground: bool = False) -> Job:
    """A job that runs this program."""
    return Job(name, (sys.executable, "-c", program), ground=ground)


def is_alive(pid: int) -> bool:
    """False for a process that is gone or waits to be buried."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_child_that_dies_is_restarted_after_a_sentence(tmp_path: Path) -> None:
    dying = "import sys; print('the disk is full', file=sys.stderr); sys.exit(3)"
    child = Child(python(dying), os.environ, tmp_path)
    child.start()
    until(lambda: child.exit_code == 3)
    told = child.tend()
    assert told == "job ended (exit code 3), restarting in 1 s: the disk is full"

    def restarted() -> bool:
        child.tend()
        return child.log.read_text().count("the disk is full") == 2

    until(restarted)
    child.stop()


def test_the_pauses_before_restarts_grow(tmp_path: Path) -> None:
    child = Child(python("raise SystemExit(1)"), os.environ, tmp_path)
    told = []
    for _ in range(2):
        child.start()
        until(lambda: child.exit_code is not None)
        told.append(child.tend().partition("restarting in ")[2].partition(" s")[0])
    assert told == ["1", "2"]


def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    stubborn = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('up', flush=True); time.sleep(600)"
    )
    job = Job("job", (sys.executable, "-c", stubborn), stop_seconds=0.2)
    child = Child(job, os.environ, tmp_path)
    child.start()
    until(lambda: child.out.read_text() == "up\n")
    child.stop()
    assert child.exit_code is None


def test_the_ground_ends_after_all_that_stand_on_it(tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    program = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep({pause}); pathlib.Path({ends!r}).open('a').write({name!r} + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True)\n"
        "while True: time.sleep(1)\n"
    )
    supervisor = Supervisor(tell=lambda _: None)
    for name, pause, ground in (("ground", 0, True), ("slow", 0.5, False), ("quick", 0, False)):
        text = program.format(pause=pause, ends=str(ends), name=name)
        supervisor.add(Child(python(text, name=name, ground=ground), os.environ, tmp_path))
    until(lambda: all(child.out.read_text() == "up\n" for child in supervisor.children))
    supervisor.stop()
    assert ends.read_text() == "quick slow ground "


def test_what_the_ground_says_is_passed_on_once(tmp_path: Path) -> None:
    told: list[str] = []
    supervisor = Supervisor(tell=told.append)
    program = "import sys, time; print('image: 40 %', file=sys.stderr, flush=True); time.sleep(600)"
    supervisor.add(Child(python(program, name="sandbox", ground=True), os.environ, tmp_path))
    assert supervisor.wait_for(lambda: bool(told))
    supervisor.stop()
    assert told == ["sandbox: image: 40 %"]


def test_not_even_sigkill_of_the_supervisor_leaves_a_process(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys, time\n"
        "from farm.ops.children import Child, Job\n"
        "job = Job('job', (sys.executable, '-c', 'import time; time.sleep(600)'))\n"
        f"child = Child(job, os.environ, pathlib.Path({str(tmp_path)!r}))\n"
        "child.start()\n"
        "print(child._process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: not is_alive(child))
