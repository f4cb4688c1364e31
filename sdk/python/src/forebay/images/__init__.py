"""Container images that hold flows: built and pushed by the Docker engine of this machine."""

from .docker_image import DockerImage as DockerImage

__all__ = ["DockerImage"]
