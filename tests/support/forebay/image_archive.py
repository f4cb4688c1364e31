"""A container image as one file, made by hand of a tree: what `docker load` and `ctr images import` read."""

import hashlib
import io
import json
import pathlib
import platform
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def write_archive(target: pathlib.Path, name: str, tree: pathlib.Path, changes: tuple[str, ...] = ()):
    """An image of one layer of the files below `tree`; `changes` as in a Dockerfile: ENV, WORKDIR, USER, CMD, ENTRYPOINT."""
    layer = target.with_suffix(".layer")
    with tarfile.open(layer, mode="w") as tar:
        tar.add(tree, arcname=".")
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    image = {
        "architecture": ARCHITECTURES[platform.machine()], "os": "linux", "created": "2026-01-01T00:00:00Z",
        "config": _configuration(changes), "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "tests"}],
    }  # fmt: skip
    content = json.dumps(image).encode()
    config = f"{hashlib.sha256(content).hexdigest()}.json"
    manifest = [{"Config": config, "RepoTags": [name], "Layers": [f"{digest}.tar"]}]
    with tarfile.open(target, mode="w") as tar:
        _add(tar, config, content)
        tar.add(layer, arcname=f"{digest}.tar")
        _add(tar, "manifest.json", json.dumps(manifest).encode())
    layer.unlink()


def _configuration(changes: tuple[str, ...]) -> dict:
    configuration: dict = {"Env": []}
    for change in changes:
        word, value = change.split(" ", 1)
        match word:
            case "ENV":
                configuration["Env"].append(value)
            case "WORKDIR":
                configuration["WorkingDir"] = value
            case "USER":
                configuration["User"] = value
            case "CMD" | "ENTRYPOINT":
                configuration[word.capitalize()] = json.loads(value)
            case _:
                raise ValueError(change)
    return configuration


def _add(tar: tarfile.TarFile, name: str, content: bytes):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
