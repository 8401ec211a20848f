"""What is on sale, as the API shows it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from farm.sandbox.hetzner.books import Books
from farm.sandbox.hetzner.catalog import Catalog, Location, Rate, ServerType
from farm.sandbox.wire import Json, JsonObject

TERABYTE = 1024**4
INCLUDED_TERABYTES = {"eu-central": 20, "us-east": 1}
TRAFFIC_PER_TERABYTE = "1.0000000000"
FREE = Rate("0", "0")
NOTICE = timedelta(days=90)


def moment(when: datetime) -> str:
    """RFC 3339, to the second."""
    return when.replace(microsecond=0).isoformat()


def location_json(location: Location) -> JsonObject:
    """A place."""
    return {
        "id": location.id,
        "name": location.name,
        "description": location.description,
        "country": location.country,
        "city": location.city,
        "latitude": location.latitude,
        "longitude": location.longitude,
        "network_zone": location.network_zone,
    }


def server_type_json(books: Books, kind: ServerType) -> JsonObject:
    """A size of server with its prices and what is to be had where."""
    places = [place for place in books.catalog.locations if place.name in kind.prices]
    return {
        "id": kind.id,
        "name": kind.name,
        "description": kind.name.upper(),
        "category": kind.category,
        "cores": kind.cores,
        "memory": float(kind.memory),
        "disk": kind.disk,
        "deprecated": len(kind.retired) == len(kind.prices),
        "deprecation": None,
        "prices": prices_json(books.catalog, kind),
        "storage_type": "local",
        "cpu_type": kind.cpu,
        "architecture": kind.architecture,
        "locations": [_offer_json(books, kind, place) for place in places],
    }


def is_retired(books: Books, kind: ServerType, location: str) -> bool:
    """Whether the type's last day at that place is past."""
    end = kind.retired.get(location)
    return end is not None and end <= books.now()


def _offer_json(books: Books, kind: ServerType, place: Location) -> JsonObject:
    end = kind.retired.get(place.name)
    available = not is_retired(books, kind, place.name)
    return {
        "id": place.id,
        "name": place.name,
        "deprecation": deprecation(end) if end else None,
        "recommended": available and end is None,
        "available": available and not books.is_sold_out(kind.name, place.name),
    }


def deprecation(end: datetime) -> JsonObject:
    return {"announced": moment(end - NOTICE), "unavailable_after": moment(end)}


def prices_json(catalog: Catalog, kind: ServerType) -> list[Json]:
    """The prices of a type, place by place."""
    return [
        {
            "location": place.name,
            **_rate_json(catalog, kind.prices[place.name]),
            "included_traffic": INCLUDED_TERABYTES.get(place.network_zone, 1) * TERABYTE,
            "price_per_tb_traffic": _amount(catalog, TRAFFIC_PER_TERABYTE),
        }
        for place in catalog.locations
        if place.name in kind.prices
    ]


def pricing_json(books: Books) -> JsonObject:
    """The whole price list."""
    catalog = books.catalog
    places = catalog.locations
    return {
        "currency": catalog.currency,
        "vat_rate": catalog.vat_rate,
        "primary_ips": [
            {"type": "ipv4", "prices": [_ip_price(catalog, p, p.ipv4) for p in places]},
            {"type": "ipv6", "prices": [_ip_price(catalog, p, FREE) for p in places]},
        ],
        "floating_ips": [],
        "floating_ip": {"price_monthly": _amount(catalog, "3.0000")},
        "image": {"price_per_gb_month": _amount(catalog, catalog.image_gb_month)},
        "volume": {"price_per_gb_month": _amount(catalog, catalog.volume_gb_month)},
        "server_backup": {"percentage": catalog.backup_percentage},
        "server_types": [
            {"id": kind.id, "name": kind.name, "prices": prices_json(catalog, kind)}
            for kind in catalog.server_types
        ],
        "load_balancer_types": [],
    }


def _ip_price(catalog: Catalog, place: Location, rate: Rate) -> JsonObject:
    return {"location": place.name, **_rate_json(catalog, rate)}


def _rate_json(catalog: Catalog, rate: Rate) -> JsonObject:
    return {
        "price_hourly": _amount(catalog, rate.hourly),
        "price_monthly": _amount(catalog, rate.monthly),
    }


def _amount(catalog: Catalog, net: str) -> JsonObject:
    gross = Decimal(net) * (1 + Decimal(catalog.vat_rate) / 100)
    return {"net": f"{Decimal(net):.10f}", "gross": f"{gross:.10f}"}
