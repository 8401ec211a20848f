#!/bin/sh
# Everything that can be said of the code without running it; the tests are `make test`.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
FARM_DATA=$(mktemp -d)
export FARM_DATA
trap 'rm -rf "$FARM_DATA"' EXIT

step() {
    name=$1
    shift
    if said=$("$@" 2>&1); then
        echo "  $name"
    else
        printf '%s\n%s: this failed: %s\n' "$said" "$name" "$*" >&2
        exit 1
    fi
}

step "format" ruff format --check .
step "lint" ruff check .
step "types" mypy
step "import rules" lint-imports
step "migrations" python manage.py makemigrations --check --dry-run
step "system checks" python manage.py check
step "locks and translations" python -m pytest -p no:cacheprovider tests/house/test_locks.py tests/farm/web/test_translations.py
