"""Updates as container images in layers: a client that pulls what it lacks."""
