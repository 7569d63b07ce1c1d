"""A host as container images in layers by package, over its versions."""
