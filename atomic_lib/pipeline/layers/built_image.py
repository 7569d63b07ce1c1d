"""The commit of a build as a container image in layers by package."""

from atomic_lib.image.oci.host_image import HostImage, HostImageRequest, host_image
from atomic_lib.pipeline.build import Build, with_limits


def image_of(build: Build, before: HostImage | None = None) -> HostImage:
    """The image of a build; its packages are grouped as in the image ``before``, if there is one.

    Raises WorkbookError as ``host_image`` does.
    """
    variant = build.variant
    request = HostImageRequest(
        variant.variant, variant.version, build.tree, variant.source_date_epoch, before.packing if before else ()
    )
    return host_image(request, with_limits(build.context, variant))
