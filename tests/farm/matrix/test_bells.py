"""A bell is heard by the workers of its own farm, whatever other farm is on the same server."""

from __future__ import annotations

import pytest

from tests.farm.matrix.farms import Farm, wait_until
from tests.pairs.own import BROKER, unheard


@pytest.mark.skipif(not BROKER, reason="the plain loop hears no bell: run make test-postgres")
def test_a_worker_listens_where_its_farm_rings(farm: Farm) -> None:
    farm.wish("ask")
    assert unheard(farm.broker) == 1

    farm.start_worker()

    wait_until("the bell is heard", lambda: unheard(farm.broker) == 0)
