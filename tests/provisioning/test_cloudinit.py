"""User-data: what goes in comes out of cloud-init unchanged, and nothing else gets in."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provisioning import cloudinit
from provisioning.certificates import new_private_key
from provisioning.cloudinit import CloudInit, Versions
from provisioning.errors import Rejected
from provisioning.quoting import yaml_scalar
from tests.provisioning.debian import cloud_config_schema

VERSIONS = Versions(node="24.19.0", runtime="2026.9.6")
HOSTILE = (
    "a\nruncmd: [evil]",
    "#cloud-config\nusers: []",
    "a \"quoted\" 'word' \\",
    "{{ 7 * 7 }} {% raw %}",
    "$(touch /tmp/x) `id` ${HOME} %h",
    "line\u2028separator\u2029\u0085next",
    "\ufeffbom \x00 \x1b[31m \x7f \ufffe \U0001f600",
    "- a: [b, {c: d}] # no comment",
    "!!python/object:os.system &a *a",
    "---\n...\n",
    "\t tab, trailing space ",
    "",
)


def a_machine() -> CloudInit:
    private, public = new_private_key()
    authorities = (new_private_key()[1], new_private_key()[1])
    return CloudInit("farm-1", "server-1", authorities, private, public, VERSIONS)


@pytest.mark.parametrize("value", HOSTILE)
def test_the_quoting_filter_gives_every_value_back(value: str) -> None:
    assert yaml.safe_load(f"key: {yaml_scalar(value)}\nnext: 1") == {"key": value, "next": 1}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_the_quoting_filter_gives_any_text_back_on_one_line(value: str) -> None:
    quoted = yaml_scalar(value)
    assert yaml.safe_load(f"[{quoted}]") == [value]
    assert len(quoted.splitlines()) == 1


def test_a_value_without_bytes_is_refused() -> None:
    with pytest.raises(Rejected):
        yaml_scalar("half \ud83d")


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_keys_stay_inside_their_fields(value: str) -> None:
    machine = replace(a_machine(), host_key_private=value)
    read = yaml.safe_load(cloudinit.render(machine))
    assert read["ssh_keys"]["ed25519_private"] == value
    assert set(read) <= cloudinit.TOP_LEVEL_KEYS


@pytest.mark.parametrize("value", [value for value in HOSTILE if value.strip()])
def test_hostile_names_and_versions_are_refused(value: str) -> None:
    machine = a_machine()
    for broken in (
        replace(machine, hostname=value),
        replace(machine, principal=value),
        replace(machine, versions=Versions(node=value, runtime="2026.9.6")),
        replace(machine, versions=Versions(node="24.19.0", runtime=value)),
        replace(machine, host_key_public=f"ssh-ed25519 AAAA\n{value}\nx"),
        replace(machine, ca_public_keys=(f"ssh-ed25519 AAAA\r{value}\rx",)),
    ):
        with pytest.raises(Rejected):
            cloudinit.render(broken)


def test_user_data_is_what_cloud_init_calls_valid() -> None:
    schema = cloud_config_schema()
    for text in (cloudinit.render(a_machine()), cloudinit.render_image(VERSIONS)):
        assert text.startswith("#cloud-config\n")
        assert list(schema.iter_errors(yaml.safe_load(text))) == []


def test_user_data_fits_and_has_only_our_keys() -> None:
    text = cloudinit.render(a_machine())
    assert len(text.encode()) <= cloudinit.USER_DATA_LIMIT
    assert set(yaml.safe_load(text)) <= cloudinit.TOP_LEVEL_KEYS


def test_user_data_beyond_the_limit_is_refused() -> None:
    machine = a_machine()
    keys = tuple(machine.ca_public_keys[0] for _ in range(400))
    with pytest.raises(Rejected) as caught:
        cloudinit.render(replace(machine, ca_public_keys=keys))
    assert caught.value.code == "user_data_too_long"


def test_the_host_key_is_the_only_secret() -> None:
    assert "PRIVATE KEY" not in repr(a_machine())
    machine = a_machine()
    text = cloudinit.render(machine)
    assert text.count("PRIVATE KEY") == 2
    assert "PRIVATE KEY" not in cloudinit.render_image(VERSIONS)
    assert machine.principal not in cloudinit.render_image(VERSIONS)


def test_a_machine_learns_whom_it_may_let_in() -> None:
    machine = a_machine()
    read = yaml.safe_load(cloudinit.render(machine))
    written = {file["path"]: file["content"] for file in read["write_files"]}
    assert written["/etc/ssh/principals/root"] == "server-1\n"
    assert written["/etc/ssh/farm_ca.pub"].split("\n")[:-1] == list(machine.ca_public_keys)
    assert read["ssh_pwauth"] is False
    assert read["ssh_deletekeys"] is True
    assert read["runcmd"] == [
        ["/usr/local/sbin/farm-setup", "24.19.0", "2026.9.6"],
    ]


@pytest.mark.parametrize("text", ["agent", "image"])
def test_the_scripts_a_machine_runs_are_sound_shell(text: str, tmp_path: Path) -> None:
    rendered = (
        cloudinit.render(a_machine()) if text == "agent" else cloudinit.render_image(VERSIONS)
    )
    scripts = [
        file
        for file in yaml.safe_load(rendered)["write_files"]
        if file["content"].startswith("#!/bin/sh")
    ]
    assert scripts
    for number, script in enumerate(scripts):
        path = tmp_path / f"script-{number}"
        path.write_text(script["content"])
        assert script["permissions"] == "0755"
        subprocess.run([shutil.which("sh") or "sh", "-n", str(path)], check=True)
