"""The second half of an image: a machine that boots from it, and is all that an agent needs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.conf import settings
from django.utils import timezone

from farm.agents.images.baking import builder_labels
from farm.agents.images.waiting import Baker, BakingFailed
from farm.agents.models import ServerImage
from farm.agents.reconciler.buying import firewall_at
from farm.agents.reconciler.machines import authority
from farm.catalog import catalog
from provisioning import cloudinit, runtime, warming
from provisioning.certificates import new_private_key
from provisioning.errors import Rejected, Transient
from provisioning.provider import Machine, MachineOrder, MachineStatus, Offer
from provisioning.runtime import InstallationState
from provisioning.ssh import Shell, Target, connect


@dataclass(frozen=True, slots=True)
class Trial:
    """The machine on trial: where it is reached, and by which keys it is known."""

    baker: Baker
    address: str
    host_keys: tuple[str, ...]

    @contextmanager
    def shell(self) -> Iterator[Shell]:
        """A connection to it; HostKeyMismatch for any other key than one of `host_keys`."""
        principal = self.baker.row.uid
        target = Target(self.address, settings.SSH_PORT, principal, self.host_keys)
        with connect(target, authority(), timezone.now()) as shell:
            yield shell


def tester_name(row: ServerImage) -> str:
    """The machine that it is tried on."""
    return f"farm-tester-{row.uid}"


def try_out(baker: Baker, offer: Offer, image: str) -> None:
    """Boot a machine from it as an agent's: content if everything of it is well.

    BakingFailed says what was not; the machine is gone again, whatever happened.
    """
    name = tester_name(baker.row)
    private, public = new_private_key()
    order = _order(baker.row, offer, image, private, public)
    baker.tell(f"Trying it: ordering a {offer.server_type} at {offer.location} from it")
    try:
        baker.until("the machine made from it", lambda: baker.provider.create(order).machine)
        machine = baker.until("that machine to boot", lambda: _on(baker, name))
        _examine(Trial(baker, machine.ipv4 or "", (public,)))
    finally:
        baker.tell("Deleting the machine it was tried on")
        baker.remove(name)


def _examine(trial: Trial) -> None:
    trial.baker.until("its software to be found installed", lambda: _is_installed(trial))
    fresh = trial.baker.until("a host key of its own", lambda: _fresh_key(trial))
    known = replace(trial, host_keys=(*trial.host_keys, fresh))
    known.baker.until("that key to be shown", lambda: _shows(known, fresh))
    own, token = replace(trial, host_keys=(fresh,)), secrets.token_urlsafe(32)
    own.baker.until("its gateway to be started", lambda: _started(own, token))
    own.baker.until("its gateway to be well", lambda: _is_well(own, token))


def _is_installed(trial: Trial) -> bool:
    row = trial.baker.row
    with trial.shell() as shell:
        shown = runtime.installed(shell)
    if shown.state is InstallationState.FAILED:
        raise BakingFailed(f"What was made from the image is not whole: {shown.detail}")
    wanted = f"node {row.node_version} openclaw {row.runtime_version} "
    if shown.state is InstallationState.INSTALLED and wanted not in shown.detail:
        raise BakingFailed(f"The image holds something else than {wanted}: {shown.detail}")
    return shown.state is InstallationState.INSTALLED


def _fresh_key(trial: Trial) -> str:
    """The key that it makes itself, and does not show yet."""
    with trial.shell() as shell:
        return runtime.rotate_host_key(shell)


def _shows(trial: Trial, fresh: str) -> bool:
    """Whether it shows that one; until it does both are good: sshd may be away for a moment."""
    with trial.shell() as shell:
        if shell.host_key == fresh:
            return True
        runtime.confirm_host_key(shell)
    return False


def _started(trial: Trial, token: str) -> bool:
    row = trial.baker.row
    nobodys = warming.settings_of_nobody(
        gateway_token=token,
        heap_mb=catalog().plans.default.heap_mb,
        runtime_version=row.runtime_version,
        edge=None,
    )
    try:
        with trial.shell() as shell:
            warming.begin(shell, nobodys)
    except Rejected as error:
        raise BakingFailed(f"The runtime in the image refuses its config: {error}") from error
    return True


def _is_well(trial: Trial, token: str) -> bool:
    with trial.shell() as shell:
        try:
            return runtime.readiness(shell, token).good
        except Transient:
            if runtime.failed(shell):
                raise BakingFailed("The gateway in the image does not start.") from None
            raise


def _on(baker: Baker, name: str) -> Machine | None:
    machine = baker.machine(name)
    return machine if machine.status is MachineStatus.RUNNING and machine.ipv4 else None


def _order(row: ServerImage, offer: Offer, image: str, private: str, public: str) -> MachineOrder:
    versions = cloudinit.Versions(node=row.node_version, runtime=row.runtime_version)
    user_data = cloudinit.render(
        cloudinit.CloudInit(
            hostname=tester_name(row),
            principal=row.uid,
            ca_public_keys=authority().public_keys,
            host_key_private=private,
            host_key_public=public,
            versions=versions,
        )
    )
    return MachineOrder(
        name=tester_name(row),
        server_type=offer.server_type,
        location=offer.location,
        image=image,
        user_data=user_data,
        labels=builder_labels(row),
        firewall=firewall_at(row.project.provider),
    )
