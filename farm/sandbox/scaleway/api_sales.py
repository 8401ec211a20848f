"""The API's doors to what is on sale: types, stock, the marketplace's images and the price list."""

from __future__ import annotations

from decimal import Decimal

from aiohttp import web

from farm.sandbox.scaleway.calls import Call, answered, counted, mapped
from farm.sandbox.scaleway.catalog import ServerType, SystemImage
from farm.sandbox.scaleway.errors import not_found
from farm.sandbox.wire import JsonObject

HOURS_OF_A_MONTH = 730
GIBIBYTE = 2**30
OFFERED_SINCE = "2025-09-12T09:11:46.109401Z"
LARGEST_VOLUME = 10_000_000_000_000
ARCHITECTURES = {"x86_64": "x64", "arm64": "arm64"}


async def list_types(call: Call) -> web.Response:
    """Every type of the zone."""
    kinds = call.cloud.books.catalog.types_in(call.zone)
    return mapped(call, "servers", {kind.name: _type_json(kind) for kind in kinds})


async def list_stock(call: Call) -> web.Response:
    """How much there is of every type of the zone."""
    books, zone = call.cloud.books, call.zone
    found: dict[str, JsonObject] = {
        kind.name: {"availability": books.availability(kind.name, zone)}
        for kind in books.catalog.types_in(zone)
    }
    return mapped(call, "servers", found)


async def list_local_images(call: Call) -> web.Response:
    """The images of a label, zone by zone."""
    catalog, label = call.cloud.books.catalog, call.wish("image_label")
    images = [image for image in catalog.images if label in ("", image.label)]
    if label and not images:
        raise not_found("MarketplaceImage", label)
    zones = [zone for zone in catalog.zones if call.wish("zone") in ("", zone)]
    found = [
        _local_image(image, zone, [kind.name for kind in catalog.types_in(zone)])
        for image in images
        for zone in zones
        if call.wish("type") in ("", "instance_sbs")
    ]
    return counted(call, "local_images", found)


async def get_local_image(call: Call) -> web.Response:
    """The image of a label in one zone."""
    catalog, uid = call.cloud.books.catalog, call.path["id"]
    for zone in catalog.zones:
        if image := catalog.image(uid, zone):
            kinds = [kind.name for kind in catalog.types_in(zone)]
            return answered(_local_image(image, zone, kinds))
    raise not_found("LocalImage", uid)


async def list_market_images(call: Call) -> web.Response:
    """Every label on offer."""
    return counted(call, "images", [_market_image(one) for one in call.cloud.books.catalog.images])


async def get_market_image(call: Call) -> web.Response:
    """One label on offer."""
    for image in call.cloud.books.catalog.images:
        if image.uid("") == call.path["id"]:
            return answered(_market_image(image))
    raise not_found("MarketplaceImage", call.path["id"])


def _market_image(image: SystemImage) -> JsonObject:
    return {
        "id": image.uid(""),
        "name": image.name,
        "description": image.name,
        "logo": "",
        "categories": ["distribution"],
        "created_at": OFFERED_SINCE,
        "updated_at": OFFERED_SINCE,
        "valid_until": image.valid_until.isoformat() if image.valid_until else None,
        "label": image.label,
    }


async def list_products(call: Call) -> web.Response:
    """Servers and storage with their prices."""
    catalog = call.cloud.books.catalog
    wanted = call.url.query.getall("product_types", [])
    products: list[JsonObject] = []
    for zone in catalog.zones:
        if call.wish("zone") not in ("", zone):
            continue
        if not wanted or "instance" in wanted:
            products += [_server_product(kind, zone) for kind in catalog.types_in(zone)]
        if not wanted or "block_storage" in wanted:
            products.append(_storage("sbs_5k", zone, catalog.volume_gb, is_volume=True))
            products.append(_storage("sbs_5k_snapshot", zone, catalog.snapshot_gb, is_volume=False))
    return counted(call, "products", products)


def _type_json(kind: ServerType) -> JsonObject:
    hourly = float(kind.hourly)
    bandwidth = 200_000_000
    face = {"internal_bandwidth": bandwidth, "internet_bandwidth": bandwidth}
    return {
        "alt_names": [],
        "arch": kind.arch,
        "ncpus": kind.cores,
        "ram": kind.memory * GIBIBYTE,
        "gpu": 0,
        "gpu_info": None,
        "mig_profile": None,
        "volumes_constraint": {"min_size": 0, "max_size": 0},
        "per_volume_constraint": {"l_ssd": {"min_size": 0, "max_size": 0}},
        "scratch_storage_max_size": 0,
        "scratch_storage_max_volumes_count": 0,
        "monthly_price": round(hourly * HOURS_OF_A_MONTH, 5),
        "hourly_price": hourly,
        "capabilities": {
            "boot_types": ["local", "rescue"],
            "placement_groups": True,
            "block_storage": True,
            "hot_snapshots_local_volume": False,
            "private_network": 8,
            "max_file_systems": 0,
        },
        "network": {
            "ipv6_support": True,
            "sum_internal_bandwidth": bandwidth,
            "sum_internet_bandwidth": bandwidth,
            "interfaces": [face],
        },
        "block_bandwidth": 41_943_040,
        "end_of_service": False,
    }


def _local_image(image: SystemImage, zone: str, kinds: list[str]) -> JsonObject:
    # The guests here run on this machine whatever the size is called.
    return {
        "id": image.uid(zone),
        "arch": "x86_64",
        "zone": zone,
        "compatible_commercial_types": kinds,
        "label": image.label,
        "type": "instance_sbs",
    }


def _server_product(kind: ServerType, zone: str) -> JsonObject:
    properties: JsonObject = {
        "hardware": {
            "cpu": {
                "description": kind.arch,
                "arch": ARCHITECTURES[kind.arch],
                "type": "",
                "virtual": {"count": kind.cores},
                "threads": kind.cores,
            },
            "ram": {"description": "", "size": kind.memory * GIBIBYTE, "type": ""},
        },
        "instance": {
            "range": "Development",
            "offer_id": kind.name,
            "recommended_replacement_offer_ids": [],
        },
    }
    sku = f"/compute/{kind.name.lower().replace('-', '_')}/run_{_short(zone)}"
    return _product(sku, "Instance", kind.name, zone, kind.hourly, properties)


def _storage(name: str, zone: str, price: str, *, is_volume: bool) -> JsonObject:
    size: JsonObject = {"min_size": 5_000_000_000, "max_size": LARGEST_VOLUME}
    kind: JsonObject = {"volume": size} if is_volume else {"snapshot": {}}
    sku = f"/storage/block/{name}/{_short(zone)}"
    return _product(sku, "Block Storage", name, zone, price, {"block_storage": kind})


def _product(
    sku: str, category: str, name: str, zone: str, price: str, properties: JsonObject
) -> JsonObject:
    return {
        "sku": sku,
        "service_category": "Compute" if category == "Instance" else "Storage",
        "product_category": category,
        "product": name,
        "variant": f"{name} - {zone}",
        "description": f"{name} - {zone}",
        "locality": {"zone": zone},
        "price": {
            "retail_price": {
                "currency_code": "EUR",
                "units": 0,
                "nanos": int(Decimal(price) * 10**9),
            }
        },
        "properties": properties,
        "unit_of_measure": {"unit": "hour", "size": 1},
        "status": "general_availability",
        "badges": [],
    }


def _short(zone: str) -> str:
    """As SKUs write a zone: par1."""
    return "".join(zone.split("-")[1:])
