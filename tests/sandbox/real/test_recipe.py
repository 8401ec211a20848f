"""What the guest image is made of, and when it is another image."""

from __future__ import annotations

from dataclasses import replace

from farm.sandbox.guests.real.recipe import Recipe
from farm.sandbox.guests.real.sources import debian_sources

RECIPE = Recipe("bookworm", ("systemd",), ("deb http://mirror.example bookworm main",), ())


def test_another_ingredient_is_another_image() -> None:
    changed = [
        replace(RECIPE, packages=("systemd", "curl")),
        replace(RECIPE, sources=()),
        replace(RECIPE, files=(("etc/npmrc", "cafile=/etc/ssl/own.pem\n"),)),
    ]

    assert len({RECIPE.digest, *(recipe.digest for recipe in changed)}) == 4
    assert replace(RECIPE).digest == RECIPE.digest


def test_this_machines_mirrors_are_used_when_it_runs_the_same_debian() -> None:
    targets = [
        "http://mirror.example/debian/ bookworm main",
        "http://mirror.example/debian/ bookworm main",
        "http://mirror.example/debian/ bookworm-updates main",
        "http://mirror.example/security/ bookworm-security main",
        "http://mirror.example/debian/ bookworm contrib",
        "http://tools.example/ stable main",
        "",
    ]

    assert debian_sources(targets, own="trixie") == (
        "deb http://mirror.example/debian/ bookworm main",
        "deb http://mirror.example/debian/ bookworm-updates main",
        "deb http://mirror.example/security/ bookworm-security main",
    )


def test_mirrors_of_another_debian_have_ours_as_well() -> None:
    targets = [
        "http://mirror.example/debian/ trixie main",
        "http://mirror.example/security/ trixie-security main",
        "http://mirror.example/debian/ trixie-backports main",
    ]

    assert debian_sources(targets, own="trixie") == (
        "deb http://mirror.example/debian/ bookworm main",
        "deb http://mirror.example/security/ bookworm-security main",
    )


def test_a_machine_without_a_mirror_of_debian_is_told_so() -> None:
    assert debian_sources(["http://mirror.example/ubuntu/ noble main"], own="") == ()
    assert debian_sources(["http://mirror.example/debian/ bookworm-updates main"], own="") == ()
    assert debian_sources(["http://tools.example/ stable main", ""], own="trixie") == ()
