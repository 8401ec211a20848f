"""How many orders go out on a road, however long this machine takes to travel it."""

from __future__ import annotations

import re

from tests.farm.matrix.farms import Farm

LOOKS = re.compile(r"(GET |\S+ (connect|forward |exec cat |exec sh -c 'id ))")


def orders_given(farm: Farm) -> int:
    """Calls that change something: how often one looks depends on how long something takes."""
    calls = farm.control.get("/calls").json()["calls"]
    return sum(not LOOKS.match(call["detail"]) for call in calls)
