"""Images of a project: the system images, the prebuilt ones, and its own snapshots."""

from __future__ import annotations

from dataclasses import replace

from farm.sandbox.hetzner.body import Body
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.errors import invalid_input, not_found, protected
from farm.sandbox.hetzner.records import EVERYBODY, Image, Project


def images_of(cloud: HetznerCloud, project: Project) -> list[Image]:
    """Every image that the project sees."""
    cloud.take_in_images()
    visible = (EVERYBODY, project.id)
    return [i for i in cloud.books.images if i.deleted is None and i.project in visible]


def image_with(cloud: HetznerCloud, project: Project, number: int) -> Image:
    """The image of that id, or not_found."""
    for image in images_of(cloud, project):
        if image.id == number:
            return image
    raise not_found("image", number)


def find_image(cloud: HetznerCloud, project: Project, word: int | str, architecture: str) -> Image:
    """The image that a new server of that architecture is made from; invalid_input otherwise."""
    for image in images_of(cloud, project):
        if str(word) in (str(image.id), image.name):
            # The guests here run on this machine whatever the size is called; a system image
            # stands for both architectures.
            if image.type == "snapshot" and image.architecture != architecture:
                raise invalid_input("image", "image has another architecture")
            if not cloud.available(image):
                raise invalid_input("image", "image is not available yet")
            return image
    raise invalid_input("image", "image not found")


def relabel_image(cloud: HetznerCloud, image: Image, body: Body) -> Image:
    """Give a snapshot another description or other labels."""
    _check_own(image)
    description = body.text("description", image.description)
    labels = body.labels(default=image.labels)
    return cloud.books.images.put(replace(image, description=description, labels=labels))


async def delete_image(cloud: HetznerCloud, image: Image) -> None:
    """Remove a snapshot."""
    _check_own(image)
    if image.protected:
        raise protected("image")
    await cloud.guests.delete_image(image.guest_image)
    cloud.books.images.put(replace(image, deleted=cloud.books.now()))


def _check_own(image: Image) -> None:
    if image.project == EVERYBODY:
        raise protected("image")
