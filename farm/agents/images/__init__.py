"""Images that hold the runtime, so that a machine comes up at once: baked, tried, and retired."""

from farm.agents.images.building import build_images
from farm.agents.images.places import ImagePlace, places_in_use
from farm.agents.images.waiting import BakingFailed

__all__ = ["BakingFailed", "ImagePlace", "build_images", "places_in_use"]
