"""An agent's backup: made by its runtime and sealed on its machine, and put back on one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from provisioning.errors import AnswerLost, Rejected, Transient
from provisioning.quoting import plain
from provisioning.runtime import AS_AGENT, stop
from provisioning.runtime_files import HOME, STATE
from provisioning.ssh import Shell
from provisioning.streams import Result, Sink, Source

HOLD = f"{HOME}/.farm-backup"
"""Where a machine keeps what is on its way; whatever a crash left there goes at the next start."""
SECONDS = 900.0
"""How long each command may take; a fresh agent's was seen to take 13 s."""
PERSONA = ("SOUL.md", "AGENTS.md", "IDENTITY.md", "USER.md", "BOOTSTRAP.md")
# Nothing here is run by root: an archive can do no more than the agent itself could.
_BEGIN = 'set -eu; umask 077; rm -rf "$1"; mkdir "$1"; cd "$1"'
_MAKE = f"""{_BEGIN}
openclaw backup create --output "$1/archive.tar.gz" --verify --json > made.json
age --encrypt --recipient "$2" --output sealed.age archive.tar.gz
rm archive.tar.gz made.json
stat -c %s sealed.age
sha256sum sealed.age"""
_RECEIVE = f"""{_BEGIN}
cat > archive.tar.gz
sha256sum archive.tar.gz"""
_OPEN = """set -eu; umask 077; cd "$1"
if test "$(gzip -dc archive.tar.gz | head -c "$2" | wc -c)" -ge "$2"; then
  echo 'It unpacks to more than it may.' >&2; exit 1
fi
openclaw backup restore archive.tar.gz --target "$1/opened" --json > opened.json
rm archive.tar.gz
set -- "$1"/opened/*/payload/posix"$3"
test "$#" = 1; test -d "$1"; test ! -L "$1"; test ! -L "$1/workspace\""""
_FIND = """set -eu; cd "$1"
state="$2"
set -- "$1"/opened/*/payload/posix"$2"
"""
# The configuration is the farm's, and so are the secrets: neither comes out of a backup.
_PLACE_ALL = f"""{_FIND}rm -rf "$1"/openclaw.json* "$1/.env" "$1/tmp"
mkdir -p "$1/workspace"
chmod 700 "$1" "$1/workspace"
if test -e "$state"; then rm -rf "$state.before"; mv "$state" "$state.before"; fi
mv "$1" "$state"
if test -d "$state.before/npm" && test ! -e "$state/npm"; then
  mv "$state.before/npm" "$state/npm"
fi
rm -rf "$state.before\""""
# Another agent's databases hold what it was linked to and logged in to: its files alone come.
_PLACE_FILES = f"""{_FIND}mkdir -p "$1/workspace"
cd "$1/workspace"
rm -rf .env {" ".join(PERSONA)}
rm -rf "$state/workspace"
mv "$1/workspace" "$state/workspace"
chmod 700 "$state/workspace\""""
CLEAR = ("rm", "-rf", HOLD)
_SUM = re.compile(r"[0-9a-f]{64}")


class Extent(StrEnum):
    """How much of a backup comes back."""

    ALL = "all"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a machine says of the backup it sealed: size in bytes, SHA-256 in hex."""

    size: int
    sha256: str


def make(shell: Shell, recipient: str) -> Sealed:
    """Have the runtime make and check its own backup, sealed to `recipient`; the agent goes on.

    Transient with the machine's words when it cannot. Call `clear` when it is fetched, or not.
    """
    made = _as_agent(shell, _MAKE, HOLD, recipient)
    if made.exit_code != 0:
        raise Transient("backup_failed", f"The machine made no backup: {_words(made)}")
    return _told(made)


def fetch(shell: Shell, sealed: Sealed, sink: Sink, *, limit: int) -> None:
    """Hand the sealed backup to `sink`, as many bytes as were told and with that checksum.

    Rejected for one of more than `limit` bytes; AnswerLost when it did not come whole.
    """
    if sealed.size > limit:
        size, most = sealed.size // 1_000_000, limit // 1_000_000
        raise Rejected("backup_too_large", f"The backup is {size} MB; {most} MB are allowed.")
    seal = hashlib.sha256()

    def take(piece: bytes) -> None:
        seal.update(piece)
        sink(piece)

    command = (*AS_AGENT, "cat", f"{HOLD}/sealed.age")
    ended = shell.drain(command, take, timeout=SECONDS, limit=sealed.size)
    if ended.exit_code != 0 or seal.hexdigest() != sealed.sha256:
        raise AnswerLost("backup_damaged", "The backup did not come whole from the machine.")


def clear(shell: Shell) -> None:
    """Leave nothing of a backup on the machine, whatever became of it."""
    shell.run((*AS_AGENT, *CLEAR), timeout=120.0)


def send(shell: Shell, source: Source) -> None:
    """Bring an archive to the machine; AnswerLost unless it arrived as it was sent."""
    seal = hashlib.sha256()

    def pour(out: Sink) -> None:
        def take(piece: bytes) -> None:
            seal.update(piece)
            out(piece)

        source(take)

    ended = shell.feed(_command(_RECEIVE, HOLD), pour, timeout=SECONDS)
    if ended.exit_code != 0 or ended.stdout.decode(errors="replace")[:64] != seal.hexdigest():
        raise AnswerLost("backup_damaged", "The backup did not arrive whole on the machine.")


def unpack(shell: Shell, *, limit: int) -> None:
    """Have the runtime check and open what was sent; the agent goes on with what it has.

    Rejected with the runtime's words for an archive that it does not take, or that would unpack to
    `limit` bytes or more.
    """
    opened = _as_agent(shell, _OPEN, HOLD, str(limit), STATE)
    if opened.exit_code != 0:
        raise Rejected("backup_refused", f"The machine refuses the backup: {_words(opened)}")


def place(shell: Shell, extent: Extent) -> None:
    """Stop the agent and put what was unpacked in the place of what it has; start it elsewhere."""
    stop(shell)
    script = _PLACE_ALL if extent is Extent.ALL else _PLACE_FILES
    placed = _as_agent(shell, script, HOLD, STATE)
    if placed.exit_code != 0:
        raise Transient("restore_failed", f"The backup is not in place: {_words(placed)}")
    clear(shell)


def _as_agent(shell: Shell, script: str, *words: str) -> Result:
    return shell.run(_command(script, *words), timeout=SECONDS)


def _command(script: str, *words: str) -> tuple[str, ...]:
    surroundings = (f"TMPDIR={HOLD}", "NODE_OPTIONS=--max-old-space-size=768")
    return (*AS_AGENT, *surroundings, "sh", "-c", script, "sh", *words)


def _told(made: Result) -> Sealed:
    size, _, rest = made.stdout.decode(errors="replace").partition("\n")
    if not size.isdecimal() or len(size) > 15 or not _SUM.fullmatch(rest[:64]):
        raise Transient("backup_failed", "The machine does not say what it made.")
    return Sealed(int(size), rest[:64])


def _words(result: Result) -> str:
    return plain(result.stderr or result.stdout, limit=400).strip()
