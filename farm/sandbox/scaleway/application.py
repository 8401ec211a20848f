"""Scaleway's API as one aiohttp application: which path leads to which operation."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from farm.sandbox.scaleway import api_billing, api_block, api_sales, api_servers, api_things
from farm.sandbox.scaleway.calls import Operation
from farm.sandbox.scaleway.cloud import ScalewayCloud
from farm.sandbox.scaleway.door import behind, door

MAX_BODY = 256 * 1024

INSTANCE: Mapping[tuple[str, str], Operation] = {
    ("GET", "/servers"): api_servers.list_servers,
    ("POST", "/servers"): api_servers.create_server,
    ("GET", "/servers/{id}"): api_servers.get_server,
    ("PATCH", "/servers/{id}"): api_servers.update_server,
    ("DELETE", "/servers/{id}"): api_servers.remove_server,
    ("GET", "/servers/{id}/action"): api_servers.list_actions,
    ("POST", "/servers/{id}/action"): api_servers.act_on_server,
    ("POST", "/servers/{id}/attach-volume"): api_servers.attach_one_volume,
    ("POST", "/servers/{id}/detach-volume"): api_servers.detach_one_volume,
    ("GET", "/servers/{id}/user_data"): api_servers.list_user_data,
    ("GET", "/servers/{id}/user_data/{key}"): api_servers.get_user_data,
    ("PATCH", "/servers/{id}/user_data/{key}"): api_servers.set_user_data,
    ("DELETE", "/servers/{id}/user_data/{key}"): api_servers.delete_user_data,
    ("GET", "/ips"): api_things.list_ips,
    ("POST", "/ips"): api_things.create_ip,
    ("GET", "/ips/{id}"): api_things.get_ip,
    ("PATCH", "/ips/{id}"): api_things.update_ip,
    ("DELETE", "/ips/{id}"): api_things.delete_ip,
    ("GET", "/security_groups"): api_things.list_groups,
    ("POST", "/security_groups"): api_things.create_group,
    ("GET", "/security_groups/{id}"): api_things.get_group,
    ("DELETE", "/security_groups/{id}"): api_things.delete_group,
    ("GET", "/security_groups/{id}/rules"): api_things.list_rules,
    ("PUT", "/security_groups/{id}/rules"): api_things.set_rules,
    ("GET", "/images"): api_things.list_images,
    ("POST", "/images"): api_things.create_image,
    ("GET", "/images/{id}"): api_things.get_image,
    ("DELETE", "/images/{id}"): api_things.delete_image,
    ("GET", "/volumes"): api_things.list_local_volumes,
    ("GET", "/volumes/{id}"): api_things.get_local_volume,
    ("GET", "/products/servers"): api_sales.list_types,
    ("GET", "/products/servers/availability"): api_sales.list_stock,
}
BLOCK: Mapping[tuple[str, str], Operation] = {
    ("GET", "/volumes"): api_block.list_volumes,
    ("POST", "/volumes"): api_block.create_volume,
    ("GET", "/volumes/{id}"): api_block.get_volume,
    ("PATCH", "/volumes/{id}"): api_block.update_volume,
    ("DELETE", "/volumes/{id}"): api_block.delete_volume,
    ("GET", "/snapshots"): api_block.list_snapshots,
    ("POST", "/snapshots"): api_block.create_snapshot,
    ("GET", "/snapshots/{id}"): api_block.get_snapshot,
    ("PATCH", "/snapshots/{id}"): api_block.update_snapshot,
    ("DELETE", "/snapshots/{id}"): api_block.delete_snapshot,
}
OPERATIONS: Mapping[tuple[str, str], Operation] = {
    **{(verb, f"/instance/v1/zones/{{zone}}{path}"): op for (verb, path), op in INSTANCE.items()},
    **{(verb, f"/block/v1/zones/{{zone}}{path}"): op for (verb, path), op in BLOCK.items()},
    **{(verb, f"/block/v1alpha1/zones/{{zone}}{path}"): op for (verb, path), op in BLOCK.items()},
    ("GET", "/marketplace/v2/local-images"): api_sales.list_local_images,
    ("GET", "/marketplace/v2/local-images/{id}"): api_sales.get_local_image,
    ("GET", "/marketplace/v2/images"): api_sales.list_market_images,
    ("GET", "/marketplace/v2/images/{id}"): api_sales.get_market_image,
    ("GET", "/billing/v2beta1/consumptions"): api_billing.list_consumptions,
    ("GET", "/billing/v2beta1/charges"): api_billing.list_charges,
    ("GET", "/billing/v2beta1/invoices"): api_billing.list_invoices,
    ("GET", "/billing/v2beta1/taxes"): api_billing.list_taxes,
    ("GET", "/product-catalog/v2alpha1/public-catalog/products"): api_sales.list_products,
}


def scaleway_application(cloud: ScalewayCloud) -> web.Application:
    """The API of `cloud`; every request passes the cloud's gate."""
    application = web.Application(middlewares=[door(cloud)], client_max_size=MAX_BODY)
    for (method, path), operation in OPERATIONS.items():
        application.router.add_route(method, path, behind(cloud, operation))
    return application
