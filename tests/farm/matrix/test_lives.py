"""Agents' lives at both clouds, in which everything that can go wrong does, in every flow.

In as many lives as there are faults each flow meets each fault once, at a call that MATRIX_SEED
draws; so it does which of them are led every day. `make test-matrix` leads all of them, and strikes
every call of every flow by every fault at both clouds.
"""

from __future__ import annotations

import os
import random
from itertools import count

import pytest

from tests.farm.matrix.flows import LIFE, CloudName, Flow
from tests.farm.matrix.living import Begin
from tests.farm.matrix.strikes import FAULTS, Strike

SEED = int(os.environ.get("MATRIX_SEED", "1"))
EVERY = 5
"""One life of so many is led every day."""
CALLS = 4
"""How many calls each flow makes at the least, so that the one that is drawn is struck."""


LEADS = [
    pytest.param(lead, marks=() if lead % EVERY == SEED % EVERY else pytest.mark.matrix)
    for lead in range(len(FAULTS))
]


@pytest.mark.parametrize("lead", LEADS)
def test_each_flow_meets_each_fault(begin: Begin, lead: int) -> None:
    dice = random.Random(f"{SEED} {lead}")  # noqa: S311 - no secret
    cloud = list(CloudName)[(lead + SEED) % 2]
    life = begin(cloud)
    for number, flow in enumerate(LIFE):
        life.lead_to(flow.begins)
        strike = FAULTS[(lead + number) % len(FAULTS)]
        strike = strike.at(dice.randint(1, CALLS)) if strike.is_anywhere else strike
        found = life.go(flow, strike)
        print(f"MATRIX_SEED={SEED} {cloud} {flow.name} {strike} {'struck' if found else 'passed'}")


@pytest.mark.matrix
@pytest.mark.parametrize("strike", FAULTS, ids=str)
@pytest.mark.parametrize("flow", LIFE, ids=lambda flow: flow.name)
@pytest.mark.parametrize("cloud", CloudName)
def test_every_call_of_a_flow(begin: Begin, cloud: CloudName, flow: Flow, strike: Strike) -> None:
    for call in count(1):
        life = begin(cloud)
        life.lead_to(flow.begins)
        found = life.go(flow, strike.at(call))
        life.farm.close()
        if not found:
            break
