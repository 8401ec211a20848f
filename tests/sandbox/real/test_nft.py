"""The cloud's firewall as nftables text."""

from __future__ import annotations

from farm.sandbox.guests.base import GuestRule
from farm.sandbox.guests.real.nft import admission, ruleset


def test_no_firewall_lets_everything_in() -> None:
    assert "add rule inet cloud g7 accept" in admission("g7", None).splitlines()


def test_a_firewall_without_rules_lets_nothing_in() -> None:
    rules = [line for line in admission("g7", []).splitlines() if line.startswith("add rule")]

    assert rules == ["add rule inet cloud g7 drop"]


def test_every_source_of_every_rule_is_let_in_and_the_rest_dropped() -> None:
    text = admission(
        "g7", [GuestRule(22, ("198.51.100.7/32", "0.0.0.0/0")), GuestRule(443, ("10.0.0.1/8",))]
    )

    assert [line for line in text.splitlines() if line.startswith("add rule")] == [
        "add rule inet cloud g7 ip saddr 198.51.100.7/32 tcp dport 22 accept",
        "add rule inet cloud g7 ip saddr 0.0.0.0/0 tcp dport 22 accept",
        "add rule inet cloud g7 ip saddr 10.0.0.0/8 tcp dport 443 accept",
        "add rule inet cloud g7 drop",
    ]


def test_what_is_said_of_ipv6_opens_nothing() -> None:
    assert "accept" not in admission("g7", [GuestRule(22, ("::/0", "2001:db8::/32"))])


def test_the_machines_addresses_and_other_sandboxes_are_fenced_off() -> None:
    text = ruleset({"192.0.2.4", "127.0.0.1"})

    assert "elements = { 127.0.0.1, 192.0.2.4, 198.18.0.0/15 }" in text
    assert 'iifname != "host" oifname "host" drop' in text
