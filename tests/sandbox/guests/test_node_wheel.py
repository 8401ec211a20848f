"""Node comes as a wheel, by its name and its checksum, on both kinds of guests alike."""

from __future__ import annotations

import pytest

from provisioning import runtime
from provisioning.cloudinit import NODE_RELEASES
from tests.sandbox.guests.house import VERSIONS, House, new_papers

NODE = NODE_RELEASES[VERSIONS.node]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (NODE.x64, "0" * 64, "DO NOT MATCH THE HASHES"),
        (f" --hash=sha256:{NODE.x64} --hash=sha256:{NODE.arm64}", "", "Hashes are required"),
        (f"=={VERSIONS.node} ", f"=={VERSIONS.node}99 ", "No matching distribution found"),
        (" python3-pip", "", "pip3: not found"),
    ],
    ids=["other-content", "no-checksum", "no-such-version", "no-pip"],
)
def test_a_machine_takes_no_other_node(house: House, old: str, new: str, told: str) -> None:
    papers = new_papers()
    right = house.user_data(papers)
    assert old in right
    machine = house.create(right.replace(old, new), papers)

    outcome = machine.installed()

    assert outcome.state is runtime.InstallationState.FAILED
    assert told in outcome.detail
    house.destroy(machine)
