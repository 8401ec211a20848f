"""From power on to a machine that answers: cloud-init, services, cloud-init's last words."""

from __future__ import annotations

from farm.sandbox.faults import Severed
from farm.sandbox.guests.simulated.cloudinit import CloudInit
from farm.sandbox.guests.simulated.machine import Machine
from farm.sandbox.guests.simulated.systemd import UnitError

WANTED = "/etc/systemd/system/multi-user.target.wants"


async def boot(machine: Machine) -> int:
    """Bring the machine up; answers 1 where a fault of kind "boot" lets it die before sshd."""
    if not await _power_held(machine):
        return 1
    await machine.sleep(machine.around.timings.boot)
    _volatile(machine)
    machine.cloud_init = "running"
    run = CloudInit(machine)
    await run.initialise()
    await _start_wanted(machine)
    await run.finish()
    return 0


async def _power_held(machine: Machine) -> bool:
    """A fault of kind "boot" delays, hangs or ends a boot: counted only where one is armed."""
    gate = machine.around.gate
    if not gate.expects("boot"):
        return True
    try:
        async with gate.passage("boot", f"{machine.identity.ipv4} {machine.identity.name}"):
            return True
    except Severed:
        return False


def _volatile(machine: Machine) -> None:
    """What lives in memory on a real machine is gone after a boot."""
    files = machine.files
    for folder, mode in {"/run": 0o755, "/tmp": 0o1777}.items():  # noqa: S108  the guest's own
        if files.is_dir(folder):
            files.remove_tree(folder)
        files.make_dir(folder, mode)
    files.make_dir("/run/systemd/system", parents=True)


async def _start_wanted(machine: Machine) -> None:
    files = machine.files
    names = files.entries(WANTED) if files.is_dir(WANTED) else []
    for name in names:
        try:
            await machine.services.start(name)
        except UnitError as error:
            machine.journal.add(machine.seconds(), name, "systemd[1]", str(error))
