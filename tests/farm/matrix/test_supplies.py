"""Images and machines that stand ready, while everything that can go wrong does, at both clouds.

A few cells are led every day; `make test-matrix` leads the whole table, at every call.
"""

from __future__ import annotations

from itertools import count, product

import pytest

from tests.farm.matrix.flows import CloudName
from tests.farm.matrix.living import Begin
from tests.farm.matrix.strikes import FAULTS, Strike
from tests.farm.matrix.supplies import SUPPLIES, Supply

CELLS = [
    (cloud, supply, strike)
    for cloud, supply, strike in product(CloudName, SUPPLIES, FAULTS)
    if supply.needs_row or not strike.needs_machine
]


BUILD, FILL, _ = SUPPLIES
DAILY = (
    (CloudName.HETZNER, BUILD, Strike("server-error-after", 11)),
    (CloudName.SCALEWAY, BUILD, Strike("server-error")),
    (CloudName.HETZNER, FILL, Strike("host-key-changes")),
    (CloudName.SCALEWAY, FILL, Strike("ssh-dies")),
)


@pytest.mark.parametrize(("cloud", "supply", "strike"), DAILY, ids=str)
def test_a_supply_that_is_struck(
    begin: Begin, cloud: CloudName, supply: Supply, strike: Strike
) -> None:
    found = supply.lead(begin(cloud), strike)
    print(f"{cloud} {supply.name} {strike} {'struck' if found else 'passed'}")


@pytest.mark.matrix
@pytest.mark.parametrize(("cloud", "supply", "strike"), CELLS, ids=str)
def test_every_call_of_a_supply(
    begin: Begin, cloud: CloudName, supply: Supply, strike: Strike
) -> None:
    for call in count(1):
        life = begin(cloud)
        found = supply.lead(life, strike.at(call))
        life.farm.close()
        if not found:
            break
