"""What a backup promises on a machine of either kind: it comes back whole, or not at all."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator

import pytest

from provisioning import backup, runtime
from provisioning.backup import Extent, Sealed
from provisioning.errors import Rejected, Transient
from provisioning.runtime_files import STATE, WORKSPACE
from provisioning.sealing import KeyPair, new_key_pair, unseal
from provisioning.streams import Sink
from tests.sandbox.guests.house import House, Machine, new_papers
from tests.sandbox.guests.test_agent import ask, good, run

ROOM = 50_000_000
LEFT = f"test ! -e {backup.HOLD}"


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def machine(house: House, image: str) -> Iterator[Machine]:
    """A machine whose agent runs."""
    made = new_machine(house, image)
    yield made
    house.destroy(made)


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    """The account's keys."""
    return new_key_pair()


@pytest.fixture(scope="module")
def archive(machine: Machine, keys: KeyPair) -> bytes:
    """A backup in clear, made after the agent was told and wrote something."""
    ask(machine, "write plan.txt saying rest on Sunday and read it back")
    return opened(taken(machine, keys), keys)


def taken(machine: Machine, keys: KeyPair) -> bytes:
    """A sealed backup as the farm keeps it."""
    kept = bytearray()
    with machine.shell() as shell:
        sealed = backup.make(shell, keys.public)
        backup.fetch(shell, sealed, kept.extend, limit=ROOM)
        backup.clear(shell)
    assert hashlib.sha256(kept).hexdigest() == sealed.sha256
    return bytes(kept)


def opened(sealed: bytes, keys: KeyPair) -> bytes:
    """What is in a sealed backup."""
    clear = bytearray()
    unseal(io.BytesIO(sealed), keys.private, clear.extend)
    return bytes(clear)


def put_back(machine: Machine, archive: bytes, extent: Extent = Extent.ALL) -> None:
    """The whole road of a restore, up to an agent that is awake again."""
    with machine.shell() as shell:
        backup.send(shell, lambda send: send(archive))
        backup.unpack(shell, limit=ROOM)
        backup.place(shell, extent)
        runtime.validate(shell)
        runtime.restart(shell)
    machine.house.wait_until(lambda: good(machine), "The agent does not start again.")


def sh(machine: Machine, script: str) -> str:
    """What a command of root prints, once it ended well."""
    with machine.shell() as shell:
        ended = shell.run(["sh", "-c", script])
    assert ended.exit_code == 0, (script, ended.stdout, ended.stderr)
    return ended.stdout.decode().strip()


def rewritten(archive: bytes, change: Callable[[tarfile.TarFile, str], None]) -> bytes:
    """The same archive with something more in it."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as old,
        tarfile.open(fileobj=out, mode="w:gz") as new,
    ):
        for member in old:
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
        change(new, member.name.split("/")[0])
    return out.getvalue()


def file_at(name: str, content: bytes = b"evil") -> Callable[[tarfile.TarFile, str], None]:
    """A file under that name, in which ROOT is the archive's own folder."""

    def add(archive: tarfile.TarFile, root: str) -> None:
        entry = tarfile.TarInfo(name.replace("ROOT", root))
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))

    return add


def below_a_link(archive: tarfile.TarFile, root: str) -> None:
    """A file that would be written through a link."""
    link = tarfile.TarInfo(f"{root}/payload/posix{WORKSPACE}/away")
    link.type, link.linkname = tarfile.SYMTYPE, "/tmp"
    archive.addfile(link)
    file_at(f"ROOT/payload/posix{WORKSPACE}/away/evil")(archive, root)


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "traversal": lambda whole: rewritten(whole, file_at("ROOT/payload/posix/../../../evil")),
    "absolute": lambda whole: rewritten(whole, file_at("/var/lib/openclaw/evil")),
    "link": lambda whole: rewritten(whole, below_a_link),
    "huge": lambda whole: rewritten(whole, file_at("ROOT/payload/posix/big", bytes(ROOM))),
    "truncated": lambda whole: whole[: len(whole) // 2],
    "flipped": lambda whole: whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
    "no archive": lambda whole: whole[:0] + b"hello",
    "nothing": lambda whole: whole[:0],
    "elsewhere": lambda whole: stateless(),
}


def stateless() -> bytes:
    """An archive of the right shape without any state in it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as new:
        file_at("x-openclaw-backup/manifest.json", b"{}")(new, "")
    return out.getvalue()


def test_what_leaves_the_machine_is_sealed_to_the_accounts_key(
    machine: Machine, keys: KeyPair, archive: bytes
) -> None:
    assert taken(machine, keys).startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert archive.startswith(b"\x1f\x8b")
    assert sh(machine, f"{LEFT} && echo clean") == "clean"


def test_a_backup_does_not_disturb_the_agent(machine: Machine, keys: KeyPair) -> None:
    taken(machine, keys)
    assert good(machine)


def test_files_and_conversation_come_back(machine: Machine, archive: bytes) -> None:
    sh(machine, f"rm -rf {WORKSPACE}/plan.txt && echo changed > {WORKSPACE}/SOUL.md")
    before = sh(machine, f"cd {STATE} && find agents -type f | sort")

    put_back(machine, archive)

    assert sh(machine, f"cat {WORKSPACE}/plan.txt") == "rest on Sunday"
    assert "short sentences" in sh(machine, f"cat {WORKSPACE}/SOUL.md")
    assert set(before.split()) & set(sh(machine, f"cd {STATE} && find agents -type f").split())
    assert sh(machine, f"stat -c '%a %U:%G' {STATE} {WORKSPACE}/plan.txt").splitlines() == [
        "700 openclaw:openclaw",
        "600 openclaw:openclaw",
    ]
    assert sh(machine, f"{LEFT} && test ! -e {STATE}.before && echo clean") == "clean"
    assert "Still there" in ask(machine, "Still there")


def test_neither_config_nor_secrets_come_out_of_a_backup(machine: Machine, archive: bytes) -> None:
    def foreign(new: tarfile.TarFile, root: str) -> None:
        file_at("ROOT/payload/posix/etc/openclaw/openclaw.env")(new, root)
        file_at(f"ROOT/payload/posix{STATE}/openclaw.json")(new, root)
        file_at(f"ROOT/payload/posix{STATE}/.env")(new, root)

    config = sh(machine, "sha256sum /etc/openclaw/*")
    put_back(machine, rewritten(archive, foreign))

    assert sh(machine, "sha256sum /etc/openclaw/*") == config
    assert "evil" not in sh(machine, f"cat {STATE}/openclaw.json {STATE}/.env 2>&1; true")


def test_another_agents_backup_brings_its_files_alone(machine: Machine, archive: bytes) -> None:
    sh(machine, f"echo mine > {WORKSPACE}/mine.txt; rm -f {WORKSPACE}/SOUL.md")
    with_note = rewritten(archive, file_at(f"ROOT/payload/posix{STATE}/credentials/x.json"))

    put_back(machine, with_note, Extent.FILES)

    assert sh(machine, f"cat {WORKSPACE}/plan.txt") == "rest on Sunday"
    assert sh(machine, f"cd {WORKSPACE}; ls mine.txt SOUL.md 2> /dev/null; true") == ""
    assert sh(machine, f"test ! -e {STATE}/credentials/x.json && echo none") == "none"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_and_the_agent_stays_as_it_is(
    machine: Machine, archive: bytes, name: str
) -> None:
    mark = sh(machine, f"date +%s%N | tee {WORKSPACE}/mark.txt")

    with machine.shell() as shell:
        backup.send(shell, lambda send: send(HOSTILE[name](archive)))
        with pytest.raises(Rejected) as refused:
            backup.unpack(shell, limit=ROOM)
        backup.clear(shell)

    assert refused.value.code == "backup_refused"
    assert sh(machine, f"cat {WORKSPACE}/mark.txt") == mark
    assert sh(machine, f"ls /evil /tmp/evil /var/lib/openclaw/evil 2> /dev/null; {LEFT}") == ""
    assert good(machine)


def test_what_a_crash_left_behind_is_found_at_the_next_backup(
    machine: Machine, keys: KeyPair
) -> None:
    sh(machine, f"su openclaw -c 'mkdir -p {backup.HOLD}/opened; echo x > {backup.HOLD}/rest'")
    taken(machine, keys)
    assert sh(machine, f"{LEFT} && echo clean") == "clean"


def test_a_backup_is_no_larger_than_it_may_be(machine: Machine, keys: KeyPair) -> None:
    with machine.shell() as shell:
        sealed = backup.make(shell, keys.public)
        with pytest.raises(Rejected) as refused:
            backup.fetch(shell, sealed, lambda _: None, limit=sealed.size - 1)
        short = Sealed(sealed.size - 1, sealed.sha256)
        with pytest.raises(Transient) as lied:
            backup.fetch(shell, short, lambda _: None, limit=ROOM)
    assert (refused.value.code, lied.value.code) == ("backup_too_large", "answer_too_long")
    with machine.shell() as shell:
        backup.clear(shell)


def test_a_changed_byte_on_the_way_is_seen(machine: Machine, keys: KeyPair) -> None:
    with machine.shell() as shell:
        sealed = backup.make(shell, keys.public)
        sh(machine, f"printf x >> {backup.HOLD}/sealed.age")
        with pytest.raises(Transient):
            backup.fetch(shell, sealed, lambda _: None, limit=ROOM)
        backup.clear(shell)


def test_a_strange_key_is_no_key(machine: Machine) -> None:
    with machine.shell() as shell, pytest.raises(Transient) as failed:
        backup.make(shell, "age1nonsense")
    assert failed.value.code == "backup_failed"


def test_a_source_that_fails_leaves_nothing_that_is_used(machine: Machine) -> None:
    def broken(send: Sink) -> None:
        send(b"half of it")
        raise Rejected("backup_unreadable", "It breaks here.")

    with machine.shell() as shell, pytest.raises(Rejected):
        backup.send(shell, broken)
    assert good(machine)


def test_a_new_machine_has_what_the_deleted_one_had(
    house: House, image: str, keys: KeyPair
) -> None:
    old = new_machine(house, image)
    ask(old, "write plan.txt saying rest on Sunday and read it back")
    heard = house.call(lambda: house.model.log[-1].messages)
    sealed = taken(old, keys)
    house.destroy(old)

    new = new_machine(house, image)
    put_back(new, opened(sealed, keys))

    assert sh(new, f"cat {WORKSPACE}/plan.txt") == "rest on Sunday"
    assert "What was it" in ask(new, "What was it again?")
    # The model is told all that was said before, the tools' answers included.
    assert house.call(lambda: house.model.log[-1].messages) > heard
    house.destroy(new)


def new_machine(house: House, image: str) -> Machine:
    """A machine whose agent runs."""
    papers = new_papers()
    made = house.create(house.user_data(papers), papers, image=image)
    made.installed()
    run(made, house.settings())
    return made
