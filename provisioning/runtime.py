"""The runtime on a machine: is it installed, is its config good, start, stop, and host keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from provisioning.channels import Slack, Telegram, WhatsApp
from provisioning.errors import Rejected, Transient
from provisioning.fence import FENCE
from provisioning.gateway import Readiness, is_at_work, open_url, readiness, rpc, say
from provisioning.quoting import plain
from provisioning.runtime_files import (
    CONFIG,
    FOLDER,
    HOME,
    PORT,
    STATE,
    USER,
    Edge,
    ModelAccess,
    RuntimeSettings,
    Tools,
    digest,
    files,
)
from provisioning.ssh import Shell
from provisioning.streams import Result

__all__ = [
    "PORT",
    "Edge",
    "Installation",
    "InstallationState",
    "ModelAccess",
    "Readiness",
    "RuntimeSettings",
    "Slack",
    "Telegram",
    "Tools",
    "WhatsApp",
    "confirm_host_key",
    "digest",
    "failed",
    "fence",
    "files",
    "forget_secrets",
    "has_ended",
    "installed",
    "is_at_work",
    "let_end",
    "log",
    "open_url",
    "readiness",
    "restart",
    "rotate_host_key",
    "rpc",
    "say",
    "start",
    "stop",
    "validate",
]

UNIT = "openclaw.service"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
NEXT_HOST_KEY = f"{HOST_KEY}.farm-next"
# Every command the farm runs on a machine, beside the one of `remotefiles.install_command`.
SETUP_STATE = ("cat", "/var/lib/farm/setup")
SETUP_LOG = ("tail", "-c", "2000", "/var/log/farm-install.log")
ASSERT_INSTALLED = (
    "sh",
    "-c",
    " && ".join(
        (
            f"id -u {USER}",
            "test -x /opt/openclaw/bin/openclaw",
            "cat /opt/openclaw/versions",
            f"test -f /etc/systemd/system/{UNIT}",
            "systemctl is-active farm-fence.service",
        )
    ),
)
AS_AGENT = (
    "runuser",
    "-u",
    USER,
    "--",
    "env",
    f"HOME={HOME}",
    f"OPENCLAW_STATE_DIR={STATE}",
    f"OPENCLAW_CONFIG_PATH={CONFIG}",
    "OPENCLAW_CONFIG_READONLY=1",
    "NODE_COMPILE_CACHE=/var/cache/openclaw",
    "PATH=/opt/openclaw/bin:/usr/bin:/bin",
)
"""Before a command of the runtime: as its own user, in its own surroundings."""
VALIDATE = (*AS_AGENT, "openclaw", "config", "validate", "--json")
ENABLE = ("systemctl", "enable", UNIT)
RESET = ("systemctl", "reset-failed", UNIT)
START = ("systemctl", "start", "--no-block", UNIT)
RESTART = ("systemctl", "restart", "--no-block", UNIT)
STOP = ("systemctl", "disable", "--now", UNIT)
DISABLE = ("systemctl", "disable", UNIT)
END = ("systemctl", "stop", "--no-block", UNIT)
IS_ACTIVE = ("systemctl", "is-active", UNIT)
FORGET_SECRETS = (
    "sh",
    "-c",
    f"for f in {FOLDER}/*; do test $f = {CONFIG} || shred -u $f || exit 1; done",
)
USE_FENCE = ("nft", "-f", FENCE)
STATE_OF_UNIT = ("systemctl", "is-failed", UNIT)
MAKE_HOST_KEY = (
    "sh",
    "-c",
    f"test -f {NEXT_HOST_KEY} || ssh-keygen -q -t ed25519 -N '' -C '' -f {NEXT_HOST_KEY}",
)
READ_HOST_KEY = ("cat", f"{NEXT_HOST_KEY}.pub")
USE_HOST_KEY = (
    "sh",
    "-c",
    " ".join(
        (
            f"if test -f {NEXT_HOST_KEY}; then",
            f"mv -f {NEXT_HOST_KEY}.pub {HOST_KEY}.pub && mv -f {NEXT_HOST_KEY} {HOST_KEY};",
            "fi && systemctl reload ssh.service",
        )
    ),
)


class InstallationState(StrEnum):
    """How far the machine's own set-up is."""

    INSTALLING = "installing"
    INSTALLED = "installed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Installation:
    """The state, and for a failure the end of the machine's log, made harmless."""

    state: InstallationState
    detail: str = ""


def installed(shell: Shell) -> Installation:
    """What the machine itself shows; cloud-init's own word is not asked."""
    said = shell.run(SETUP_STATE).stdout.strip()
    if said == b"failed":
        return Installation(InstallationState.FAILED, plain(shell.run(SETUP_LOG).stdout))
    if said != b"installed":
        return Installation(InstallationState.INSTALLING)
    shown = shell.run(ASSERT_INSTALLED)
    if shown.exit_code != 0:
        return Installation(InstallationState.FAILED, plain(shown.stdout + shown.stderr))
    return Installation(InstallationState.INSTALLED, plain(shown.stdout, limit=200))


def validate(shell: Shell) -> None:
    """Have the runtime's own checker read the config; Rejected with what it says (5 s)."""
    result = shell.run(VALIDATE, timeout=90.0)
    if result.exit_code != 0:
        raise Rejected("config_invalid", f"The runtime refuses its config: {_words(result)}")


def fence(shell: Shell) -> None:
    """Have the machine's packet filter be what was written; all of it or nothing changes."""
    _order(shell, USE_FENCE)


def start(shell: Shell) -> None:
    """Start the gateway now and at every boot; content if it runs. Look with `readiness`."""
    _order(shell, ENABLE)
    shell.run(RESET)
    _order(shell, START)


def restart(shell: Shell) -> None:
    """Start it anew, so that it reads its files; now and at every boot."""
    _order(shell, ENABLE)
    shell.run(RESET)
    _order(shell, RESTART)


def stop(shell: Shell) -> None:
    """Stop the gateway, also at the next boot; content if it is stopped. It may take minutes."""
    _order(shell, STOP, timeout=360.0)


def let_end(shell: Shell) -> None:
    """Ask the gateway to end its turns and stop, also at the next boot; look with `has_ended`."""
    _order(shell, DISABLE)
    _order(shell, END)


def has_ended(shell: Shell) -> bool:
    """Whether it has stopped, or given up."""
    return shell.run(IS_ACTIVE).stdout.strip() in (b"inactive", b"failed")


def forget_secrets(shell: Shell) -> None:
    """What the farm wrote there and a copy of the disk must not hold; `files` brings it back."""
    _order(shell, FORGET_SECRETS)


def failed(shell: Shell) -> bool:
    """Whether the gateway gave up and nothing will start it again by itself."""
    return shell.run(STATE_OF_UNIT).stdout.strip() == b"failed"


def log(shell: Shell, *, lines: int) -> str:
    """The last lines of what the gateway said, at most 200 kB, without terminal escapes."""
    said = shell.run(("journalctl", "-u", UNIT, "-n", str(lines), "--no-pager"))
    return plain(said.stdout or said.stderr, limit=200_000)


def rotate_host_key(shell: Shell) -> str:
    """Make the machine's next host key beside the one in use; its OpenSSH public line.

    Nothing changes yet: record the new key first, so that both are accepted, then call
    `confirm_host_key`. Asked again, it answers the same key.
    """
    _order(shell, MAKE_HOST_KEY)
    line = _order(shell, READ_HOST_KEY).stdout.decode(errors="replace").strip()
    kind, _, rest = line.partition(" ")
    if kind != "ssh-ed25519" or "\n" in rest:
        raise Transient("bad_host_key", "The machine made no ed25519 host key.")
    return f"{kind} {rest.split()[0]}"


def confirm_host_key(shell: Shell) -> None:
    """Let the machine show the key of `rotate_host_key` from its next connection on.

    Content if it does already. Once `Shell.host_key` is the new key, forget the old one.
    """
    _order(shell, USE_HOST_KEY)


def _order(shell: Shell, argv: Sequence[str], *, timeout: float = 60.0) -> Result:
    result = shell.run(argv, timeout=timeout)
    if result.exit_code != 0:
        raise Transient("command_failed", f"{' '.join(argv)[:80]} failed: {_words(result)}")
    return result


def _words(result: Result) -> str:
    return plain(result.stdout + result.stderr, limit=600).strip()
