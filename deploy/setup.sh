#!/bin/sh
# Installs what the farm needs on a Debian machine: `deploy/setup.sh run`, or `dev` for the tests.
# Says nothing about what is there already.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}

has() { command -v "$1" >/dev/null 2>&1; }

# $1: a program, $2: the Debian package that brings it
needs() { has "$1" || missing="$missing $2"; }

find_missing() {
    missing=""
    python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
    needs msgfmt gettext
    [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || missing="$missing fonts-dejavu-core"
    if [ "$kind" = dev ]; then
        needs chromium chromium
        needs age age
        needs hcloud hcloud-cli
        needs redis-server redis-server
        ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing="$missing libfaketime"
        ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
    fi
    if real_guests_can_run; then
        needs systemd-nspawn systemd-container
        needs mmdebstrap mmdebstrap
        needs slirp4netns slirp4netns
        needs ip iproute2
        needs nft nftables
        needs newuidmap uidmap
    fi
}

# Real guests are machines in namespaces of their own; where none can be made, simulated ones serve.
real_guests_can_run() {
    [ "${GUESTS:-auto}" != simulated ] && [ "$(id -u)" = 0 ] && unshare --net --mount true 2>/dev/null
}

install_packages() {
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ] || ! has apt-get; then
        echo "Missing here:$missing. As root: apt-get install$missing" >&2
        exit 1
    fi
    echo "Installing Debian packages:$missing (about a minute)"
    start_no_services
    quietly apt-get -q update
    # shellcheck disable=SC2086
    quietly apt-get -q install -y --no-install-recommends $missing
}

# The tests start servers of their own; what a package brings along stays asleep. Debian's own way of saying so.
start_no_services() {
    [ "$kind" = dev ] && [ ! -e /usr/sbin/policy-rc.d ] || return 0
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

# Runs a command; shows what it said only when it fails.
quietly() {
    said=$(mktemp)
    if ! DEBIAN_FRONTEND=noninteractive "$@" >"$said" 2>&1 </dev/null; then
        cat "$said" >&2
        rm -f "$said"
        echo "This failed: $*" >&2
        exit 1
    fi
    rm -f "$said"
}

check_python() {
    if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "python3 is missing or older than 3.11: install Debian 12's python3 or a newer one." >&2
        exit 1
    fi
}

# The locks name every package with its hashes; the farm itself is not copied but pointed at.
install_python() {
    digest=$(cat deploy/requirements.txt deploy/requirements-dev.txt | sha256sum | cut -c1-16)
    if .venv/bin/python -c '' 2>/dev/null && grep -qs "$kind $digest" .venv/installed; then
        return 0
    fi
    lock=deploy/requirements.txt
    [ "$kind" = run ] || lock=deploy/requirements-dev.txt
    echo "Installing Python packages into .venv (about a minute)"
    .venv/bin/python -c 'import pip' 2>/dev/null || quietly python3 -m venv --clear .venv
    quietly .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r "$lock"
    point_at_the_farm
    echo "run $digest" >.venv/installed
    [ "$kind" = run ] || echo "dev $digest" >>.venv/installed
}

# The site's French; `farm prepare` does the same on a machine that this script did not set up.
compile_translations() {
    for source in farm/locale/*/LC_MESSAGES/*.po; do
        target="${source%.po}.mo"
        if [ ! -e "$target" ] || [ "$source" -nt "$target" ]; then
            quietly msgfmt --check-format -o "$target" "$source"
        fi
    done
}

point_at_the_farm() {
    packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    pwd >"$packages/farm-checkout.pth"
    cat >.venv/bin/farm <<SCRIPT
#!$(pwd)/.venv/bin/python
import sys

from farm.__main__ import main

sys.exit(main())
SCRIPT
    chmod +x .venv/bin/farm
}

check_python
find_missing
install_packages
install_python
compile_translations
