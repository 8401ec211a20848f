set -e; false && true; echo after; (exit 3); echo never
