set -e; false || echo kept; if false; then :; fi; ! true; false; echo never
