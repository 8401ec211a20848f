"""The Hetzner Cloud API as one aiohttp application: which path leads to which operation."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from farm.sandbox.hetzner import api_catalog, api_servers, api_things, api_volumes
from farm.sandbox.hetzner.calls import Operation
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.door import behind, door

MAX_BODY = 256 * 1024

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", "/servers"): api_servers.list_servers,
    ("POST", "/servers"): api_servers.create_server,
    ("GET", r"/servers/{id:\d+}"): api_servers.get_server,
    ("PUT", r"/servers/{id:\d+}"): api_servers.update_server,
    ("DELETE", r"/servers/{id:\d+}"): api_servers.delete_server,
    ("POST", r"/servers/{id:\d+}/actions/{command:[a-z_]+}"): api_servers.act_on_server,
    ("GET", "/images"): api_things.list_images,
    ("GET", r"/images/{id:\d+}"): api_things.get_image,
    ("PUT", r"/images/{id:\d+}"): api_things.update_image,
    ("DELETE", r"/images/{id:\d+}"): api_things.remove_image,
    ("POST", r"/images/{id:\d+}/actions/change_protection"): api_things.protect_one_image,
    ("GET", "/firewalls"): api_things.list_firewalls,
    ("POST", "/firewalls"): api_things.post_firewall,
    ("GET", r"/firewalls/{id:\d+}"): api_things.get_firewall,
    ("PUT", r"/firewalls/{id:\d+}"): api_things.update_firewall,
    ("DELETE", r"/firewalls/{id:\d+}"): api_things.remove_one_firewall,
    ("POST", r"/firewalls/{id:\d+}/actions/{command:[a-z_]+}"): api_things.act_on_firewall,
    ("GET", "/primary_ips"): api_things.list_primary_ips,
    ("POST", "/primary_ips"): api_things.post_primary_ip,
    ("GET", r"/primary_ips/{id:\d+}"): api_things.get_primary_ip,
    ("PUT", r"/primary_ips/{id:\d+}"): api_things.update_primary_ip,
    ("DELETE", r"/primary_ips/{id:\d+}"): api_things.remove_primary_ip,
    ("POST", r"/primary_ips/{id:\d+}/actions/change_protection"): api_things.protect_one_ip,
    ("GET", "/volumes"): api_volumes.list_volumes,
    ("POST", "/volumes"): api_volumes.post_volume,
    ("GET", r"/volumes/{id:\d+}"): api_volumes.get_volume,
    ("PUT", r"/volumes/{id:\d+}"): api_volumes.update_volume,
    ("DELETE", r"/volumes/{id:\d+}"): api_volumes.remove_volume,
    ("POST", r"/volumes/{id:\d+}/actions/change_protection"): api_volumes.protect_volume,
    ("GET", "/ssh_keys"): api_things.list_keys,
    ("POST", "/ssh_keys"): api_things.post_key,
    ("GET", r"/ssh_keys/{id:\d+}"): api_things.get_key,
    ("PUT", r"/ssh_keys/{id:\d+}"): api_things.update_key,
    ("DELETE", r"/ssh_keys/{id:\d+}"): api_things.remove_key,
    ("GET", "/locations"): api_catalog.list_locations,
    ("GET", r"/locations/{id:\d+}"): api_catalog.get_location,
    ("GET", "/server_types"): api_catalog.list_server_types,
    ("GET", r"/server_types/{id:\d+}"): api_catalog.get_server_type,
    ("GET", "/pricing"): api_catalog.get_pricing,
    ("GET", "/datacenters"): api_catalog.removed,
    ("GET", "/actions"): api_catalog.get_actions,
    ("GET", r"/actions/{id:\d+}"): api_catalog.get_action(),
}
ACTED_ON = {
    "servers": "server",
    "images": "image",
    "firewalls": "firewall",
    "primary_ips": "primary_ip",
    "volumes": "volume",
}
# Kinds of things that a client lists although this cloud sells none.
NOT_SOLD = (
    "certificates",
    "floating_ips",
    "isos",
    "load_balancers",
    "networks",
    "placement_groups",
)


def hetzner_application(cloud: HetznerCloud) -> web.Application:
    """The API of `cloud` under /v1; every request passes the cloud's gate."""
    application = web.Application(middlewares=[door(cloud)], client_max_size=MAX_BODY)
    for (method, path), operation in _all_operations().items():
        application.router.add_route(method, f"/v1{path}", behind(cloud, operation))
    return application


def _all_operations() -> dict[tuple[str, str], Operation]:
    operations = dict(OPERATIONS)
    operations |= {("GET", f"/{kind}"): api_catalog.none_of(kind) for kind in NOT_SOLD}
    for path, kind in ACTED_ON.items():
        every, one = f"/{path}/actions", f"/{path}/{{id:\\d+}}/actions"
        operations["GET", every] = api_catalog.list_actions(kind, of_one=False)
        operations["GET", f"{every}/{{id:\\d+}}"] = api_catalog.get_action()
        operations["GET", one] = api_catalog.list_actions(kind, of_one=True)
        operations["GET", f"{one}/{{action:\\d+}}"] = api_catalog.get_action("action")
    return operations
