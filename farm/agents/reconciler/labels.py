"""By which labels this farm knows what is its own at a cloud."""

from __future__ import annotations

FARM_LABEL, SERVER_LABEL, IMAGE_LABEL = "farm", "farm-server", "farm-runtime"
BUILDER_LABEL, BAKED_LABEL = "farm-builder", "farm-baked"
"""On the machines that an image is baked and tried on, and on the image: the uid of its row."""
COPY_LABEL = "farm-copy"
"""On the copy of a sleeping machine's disk: the uid of its row."""
