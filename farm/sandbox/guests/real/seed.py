"""Writes what a guest's cloud-init finds beside its disk: pure, NoCloud's three files."""

from __future__ import annotations

import json

from farm.sandbox.guests.base import GuestSpec
from farm.sandbox.guests.real.network import NAME_SERVER
from farm.sandbox.guests.real.slices import PREFIX, Slice


def seed_files(spec: GuestSpec, here: Slice) -> dict[str, str]:
    """File names and contents; JSON is YAML, and needs no quoting of ours."""
    return {
        "user-data": spec.user_data,
        "meta-data": json.dumps({"instance-id": spec.instance_id, "local-hostname": spec.name}),
        "network-config": json.dumps({"version": 1, "config": [_interface(spec, here)]}),
    }


def _interface(spec: GuestSpec, here: Slice) -> dict[str, object]:
    subnet = {
        "type": "static",
        "address": f"{spec.ipv4}/{PREFIX}",
        "gateway": here.gateway,
        "dns_nameservers": [NAME_SERVER],
    }
    return {"type": "physical", "name": "eth0", "subnets": [subnet]}
