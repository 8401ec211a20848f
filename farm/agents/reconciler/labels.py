"""By which labels this farm knows what is its own at a cloud."""

from __future__ import annotations

FARM_LABEL, SERVER_LABEL, IMAGE_LABEL = "farm", "farm-server", "farm-runtime"
BUILDER_LABEL = "farm-builder"
