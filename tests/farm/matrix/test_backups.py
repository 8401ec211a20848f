"""Backups over real SSH to simulated machines: made, kept, brought back, and lost by nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.farm.matrix.farms import Farm, alive, wait_until
from tests.farm.matrix.test_sigkill import go_on, kill_at
from tests.farm.matrix.verdicts import answers, none_left, one_running

WORKSPACE = "/var/lib/openclaw/.openclaw/workspace"
HOLD = "/var/lib/openclaw/.farm-backup"
SESSIONS = "/var/lib/openclaw/.openclaw/agents/main/sessions"
# How many calls each makes; `test_every_call_is_struck` holds them.
BACKUP_CALLS, RESTORE_CALLS = 4, 10


def kept(farm: Farm) -> Sequence[Path]:
    """Every file in the farm's store."""
    return [path for path in (farm.folder / "backups").rglob("*") if path.is_file()]


def state(farm: Farm, backup: str) -> str:
    """How a backup stands."""
    return farm.ask("SELECT state FROM agents_backup WHERE uid = ?", backup)


def is_kept(farm: Farm, backup: str) -> bool:
    """Whether it was made."""
    return state(farm, backup) == "kept"


def backed_up(farm: Farm) -> str:
    """A backup on demand that is kept; its uid."""
    backup = farm.wish("back_up")
    wait_until("the backup is kept", partial(is_kept, farm, backup))
    return backup


def sh(farm: Farm, command: str) -> str:
    """What a command on the machine prints."""
    return farm.wish("on_machine", command=command).strip()


@pytest.fixture
def running(farm: Farm) -> Farm:
    """A farm whose agent runs and has written something."""
    farm.start_worker()
    farm.wish("ask")
    wait_until("the agent runs", lambda: farm.phase() == "running")
    answers(farm)
    sh(farm, f"echo Sunday > {WORKSPACE}/plan.txt && chown openclaw: {WORKSPACE}/plan.txt")
    return farm


def test_what_is_kept_is_sealed_and_the_farms_alone(running: Farm) -> None:
    backup = backed_up(running)

    (file,) = kept(running)
    assert file.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    size = running.ask("SELECT size FROM agents_backup WHERE uid = ?", backup)
    assert int(size) == file.stat().st_size


def test_the_same_agent_is_as_it_was(running: Farm) -> None:
    backup = backed_up(running)
    said = sh(running, f"cat {SESSIONS}/*")
    sh(running, f"echo spoilt > {WORKSPACE}/plan.txt; rm -r {SESSIONS}")

    running.wish("restore", backup=backup)
    wait_until("it was restored", lambda: "restored" in running.codes())
    one_running(running)

    assert sh(running, f"cat {WORKSPACE}/plan.txt") == "Sunday"
    assert said.split()[0] in sh(running, f"cat {SESSIONS}/*")
    safety = "SELECT state FROM agents_backup WHERE kind = 'safety'"
    assert running.ask(safety) == "kept"


def test_a_deleted_agent_comes_back_under_its_address(running: Farm) -> None:
    uid, host = (
        running.ask("SELECT uid FROM agents_agent"),
        running.ask("SELECT host FROM agents_agent"),
    )
    running.wish("delete")
    none_left(running)
    assert running.ask("SELECT state FROM agents_backup WHERE kind = 'final'") == "kept"

    running.wish("bring_back")
    one_running(running, invoiced=2)

    assert sh(running, f"cat {WORKSPACE}/plan.txt") == "Sunday"
    assert (uid, host) == (
        running.ask("SELECT uid FROM agents_agent"),
        running.ask("SELECT host FROM agents_agent"),
    )
    assert running.ask("SELECT deleted_at FROM agents_agent") == ""
    back = "SELECT text FROM agents_message WHERE author = 'agent' ORDER BY id LIMIT 1 OFFSET 2"
    assert running.ask(back).startswith("Me revoilà, comme j'étais le 20")


def test_a_new_agent_has_the_files_of_another(running: Farm) -> None:
    backup = backed_up(running)

    running.wish("ask", backup=backup)
    second = "SELECT phase FROM agents_agent ORDER BY id DESC LIMIT 1"
    wait_until("the second agent runs", lambda: running.ask(second) == "running")

    assert sh(running, f"cat {WORKSPACE}/plan.txt") == "Sunday"
    assert "Are you there" not in sh(running, f"cat {SESSIONS}/*")
    assert sh(running, f"test -s {WORKSPACE}/SOUL.md && echo its own") == "its own"


def test_each_night_one_is_made_once(running: Farm) -> None:
    count = "SELECT count(*) FROM agents_backup WHERE kind = 'nightly'"
    due = "SELECT count(*) FROM agents_backupround WHERE due_at < CURRENT_TIMESTAMP"
    for _ in range(2):
        running.wish("nightfall")
        wait_until("the round was made", lambda: running.ask(due) == "0")
    wait_until(
        "the night's backup is kept",
        lambda: running.ask("SELECT state FROM agents_backup") == "kept",
    )
    assert running.ask(count) == "1"


def test_the_last_good_one_outlives_its_days_and_the_others_do_not(running: Farm) -> None:
    first, last = backed_up(running), backed_up(running)

    running.wish("age_backups", days="400")

    wait_until("the older one is removed", lambda: state(running, first) == "removed")
    assert state(running, last) == "kept"
    assert len(kept(running)) == 1


def test_the_last_one_stays_a_month_after_the_deletion_and_then_goes(running: Farm) -> None:
    running.wish("delete")
    none_left(running)
    running.wish("age_backups", days="29")
    assert len(kept(running)) == 1

    running.wish("age_backups", days="2")

    wait_until("nothing of it is kept", lambda: not kept(running))


def test_an_agent_whose_machine_cannot_save_it_is_not_deleted_until_its_member_says_so(
    running: Farm,
) -> None:
    sh(running, "mv /usr/bin/age /usr/bin/age.away")
    running.wish("delete")
    running.wish("hurry")
    wait_until("its member is asked", lambda: running.reason() == "final_backup_failed")
    assert [server["status"] for server in running.inventory()] == ["running"]

    running.wish("delete_unsaved")

    none_left(running)


def test_a_second_try_may_save_it(running: Farm) -> None:
    sh(running, "mv /usr/bin/age /usr/bin/age.away")
    running.wish("delete")
    running.wish("hurry")
    wait_until("its member is asked", lambda: running.reason() == "final_backup_failed")
    sh(running, "mv /usr/bin/age.away /usr/bin/age")

    running.wish("save_again")

    none_left(running)
    assert len(kept(running)) == 1


def test_a_restore_that_would_lose_what_cannot_be_saved_is_given_up(running: Farm) -> None:
    backup = backed_up(running)
    sh(running, f"echo newer > {WORKSPACE}/plan.txt; mv /usr/bin/age /usr/bin/age.away")

    running.wish("restore", backup=backup)
    running.wish("hurry")

    wait_until("it was given up", lambda: "restore_given_up" in running.codes())
    answers(running)
    assert sh(running, f"cat {WORKSPACE}/plan.txt") == "newer"


def test_a_changed_bit_is_told_and_the_agent_goes_on(running: Farm) -> None:
    backup = backed_up(running)
    (file,) = kept(running)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    running.wish("restore", backup=backup)

    wait_until("it was refused", lambda: "restore_refused" in running.codes())
    one_running(running)
    assert sh(running, f"cat {WORKSPACE}/plan.txt") == "Sunday"


def test_what_no_backup_knows_is_swept(running: Farm) -> None:
    backed_up(running)
    (file,) = kept(running)
    lost = file.with_name("lost-by-a-crash.age.part")
    lost.write_bytes(b"half")
    young = file.with_name("just-written.age")
    young.write_bytes(b"young")

    running.wish("lose", path=str(lost))

    wait_until("it is swept", lambda: not lost.exists())
    assert file.exists()
    assert young.exists()


# Killed before a call is as killed after the one before it: nothing is kept but by such calls.
def test_a_kill_during_a_backup_keeps_a_whole_one(running: Farm) -> None:
    for call in range(1, BACKUP_CALLS + 1):
        worker = running.workers[-1]
        kill_at(running, worker, call, "after")

        backup = running.wish("back_up")
        kept = partial(is_kept, running, backup)
        died_or(running, worker, kept)

        wait_until("the backup is kept", kept)
        whole(running, backup)


def test_a_kill_during_a_restore_ends_in_one_agent_that_is_as_it_was(running: Farm) -> None:
    backup = backed_up(running)
    for call in range(BACKUP_CALLS + 1, RESTORE_CALLS + 1):
        sh(running, f"echo spoilt > {WORKSPACE}/plan.txt")
        worker = running.workers[-1]
        kill_at(running, worker, call, "after")

        running.wish("restore", backup=backup)
        died_or(running, worker, lambda: restored(running))

        wait_until("it was restored", lambda: restored(running))
        assert sh(running, f"cat {WORKSPACE}/plan.txt") == "Sunday"
    one_running(running)


def test_every_call_is_struck(running: Farm) -> None:
    running.control.delete("/faults").raise_for_status()
    backup = backed_up(running)
    assert len(running.calls("ssh")) == BACKUP_CALLS

    running.wish("restore", backup=backup)
    wait_until("it was restored", lambda: restored(running))
    done = [HOLD in call for call in running.calls("ssh")][BACKUP_CALLS:]
    # What follows the last of them is the road that every reconfiguration takes.
    assert (done[RESTORE_CALLS - 1], any(done[RESTORE_CALLS:])) == (True, False)


def test_what_was_stored_but_not_recorded_is_replaced(running: Farm) -> None:
    running.end_worker(running.workers[-1])
    backup = running.wish("back_up")
    half = running.folder / "backups" / "kept" / running.wish("stored", backup=backup)
    half.parent.mkdir(parents=True)
    half.write_bytes(b"whole or not, nobody knows")

    running.start_worker()

    wait_until("the backup is kept", partial(is_kept, running, backup))
    assert not half.exists()
    whole(running, backup)


def died_or(farm: Farm, worker: int, done: Callable[[], bool]) -> None:
    """Wait until the worker was killed or had done it before; nobody is killed afterwards."""
    wait_until("killed, or done", lambda: not alive(worker) or done())
    go_on(farm, worker)


def whole(farm: Farm, backup: str) -> None:
    """What is called kept is there whole, and nothing of it is left on the machine."""
    place = farm.ask("SELECT place FROM agents_backup WHERE uid = ?", backup)
    path = farm.folder / "backups" / "kept" / place
    size = farm.ask("SELECT size FROM agents_backup WHERE uid = ?", backup)
    assert str(path.stat().st_size) == size
    digest = farm.ask("SELECT sha256 FROM agents_backup WHERE uid = ?", backup)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    assert sh(farm, f"ls -d {HOLD} 2> /dev/null; true") == ""


def restored(farm: Farm) -> bool:
    """Whether the restore is over and well."""
    latest = "SELECT kind || state FROM agents_operation ORDER BY id DESC"
    return farm.ask(latest) == "restoredone"
