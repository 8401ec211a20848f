"""The cloud judged by somebody else's client: the official `hcloud` command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, eventually
from tests.sandbox.hetzner.test_things import KEY

HCLOUD = shutil.which("hcloud")
RULES = [{"direction": "in", "protocol": "tcp", "port": "22", "source_ips": ["0.0.0.0/0"]}]
LIFE = (
    "ssh-key create --name k --public-key-from-file {folder}/key.pub",
    "firewall create --name f --rules-file {folder}/rules.json",
    "server create --name a --type cx23 --image debian-12 --location fsn1 --firewall f",
    "server poweroff a",
    "server change-type --keep-disk a cx33",
    "server reset a",
    "server reboot a",
    "server shutdown a",
    "server poweron a",
    "server enable-protection a delete rebuild",
    "server disable-protection a delete rebuild",
    "server update a --name b",
    "server add-label b x=y",
    "server rebuild b --image debian-12",
    "server reset-password b",
    "server create-image b --type snapshot --description d --label x=y",
    "firewall remove-from-resource f --type server --server b",
    "firewall apply-to-resource f --type server --server b",
    "firewall replace-rules f --rules-file {folder}/rules.json",
    "volume create --name v --size 10 --location fsn1",
    "volume describe v",
    "volume delete v",
    "server describe b",
    "server-type describe cx23",
    "location describe fsn1",
    "image describe debian-12",
    "server delete b",
)
LISTS = (
    "certificate",
    "firewall",
    "floating-ip",
    "image",
    "iso",
    "load-balancer",
    "location",
    "network",
    "placement-group",
    "primary-ip",
    "server",
    "server-type",
    "ssh-key",
    "volume",
)


def run(at_work: CloudAtWork, folder: Path, words: str) -> str:
    """What the command prints; it must succeed."""
    if HCLOUD is None:
        pytest.skip("Debian's hcloud-cli is not installed")
    surroundings = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "HCLOUD_TOKEN": at_work.cloud.token,
        "HCLOUD_ENDPOINT": at_work.endpoint,
    }
    command = [HCLOUD, "--poll-interval", "20ms", *words.format(folder=folder).split()]
    done = subprocess.run(
        command, env=surroundings, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


def test_the_life_of_a_server(at_work: CloudAtWork, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(KEY)
    (tmp_path / "rules.json").write_text(json.dumps(RULES))
    for words in LIFE:
        run(at_work, tmp_path, words)
    # The command does not wait for a deletion.
    eventually(lambda: at_work.client().servers.get_all() == [])
    (copy,) = json.loads(run(at_work, tmp_path, "image list -t snapshot -o json"))
    for words in (f"image delete {copy['id']}", "firewall delete f", "ssh-key delete k"):
        run(at_work, tmp_path, words)


@pytest.mark.parametrize("kind", LISTS)
def test_every_list_is_answered(at_work: CloudAtWork, tmp_path: Path, kind: str) -> None:
    run(at_work, tmp_path, f"{kind} list")
