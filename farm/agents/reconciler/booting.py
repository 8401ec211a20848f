"""From a machine that is on to one that is ready: software installed, and a host key of its own."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from farm.agents.models import Server, ServerPhase
from farm.agents.pace import deadlines
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.marks import MOVED, move_server, note_server
from farm.agents.reconciler.removing import give_up
from farm.agents.reconciler.troubles import Nap, jitter, wait_with_reason
from provisioning import runtime
from provisioning.errors import Transient
from provisioning.lifecycle import poll_delay
from provisioning.runtime import Installation, InstallationState
from provisioning.ssh import Shell

AT_ONCE = timedelta(0)


def knock(claim: Claim[Server]) -> Nap:
    """Log in with the pinned key, see what is installed, and have the key replaced."""
    try:
        with shell_of(claim.row) as shell:
            if claim.row.pending_host_key == shell.host_key:
                _record_ready(claim, shell.host_key)
                return None
            return _welcome(claim, shell, runtime.installed(shell))
    except Transient as error:
        # A machine that boots refuses connections, drops them, and knows nobody at first.
        return _later(claim, str(error))


def _welcome(claim: Claim[Server], shell: Shell, shown: Installation) -> Nap:
    if shown.state is InstallationState.FAILED:
        return give_up(claim, "install_failed", shown.detail)
    if shown.state is InstallationState.INSTALLING:
        return _later(claim, "")
    _rotate(claim, shell)
    return AT_ONCE


def _rotate(claim: Claim[Server], shell: Shell) -> None:
    """The key that travelled in user-data is replaced; until the new one is seen both are good.

    A key that is recorded is never made anew: the machine may be about to show it.
    """
    server = claim.row
    if not server.pending_host_key:
        pending = runtime.rotate_host_key(shell)
        with claim.recording():
            server.pending_host_key = pending
            claim.save("pending_host_key")
    runtime.confirm_host_key(shell)


def _record_ready(claim: Claim[Server], host_key: str) -> None:
    server, now = claim.row, timezone.now()
    with claim.recording():
        server.host_key, server.pending_host_key, server.first_host_key = host_key, "", ""
        server.host_key_rotated = True
        move_server(server, ServerPhase.READY, now)
        claim.save("host_key", "pending_host_key", "first_host_key", "host_key_rotated", *MOVED)
        note_server(server, "runtime_installed", now)
        note_server(server, "host_key_rotated", now)
        note_server(server, "machine_ready", now)


def _later(claim: Claim[Server], detail: str) -> Nap:
    waited = timezone.now() - claim.row.phase_since
    nap = poll_delay(waited, jitter())
    if waited > deadlines().booting / 2:
        return wait_with_reason(claim, "slow_boot", nap, detail)
    return nap
