"""Kubeconfig files: written for a user of a test cluster, read for a client. JSON, which YAML includes."""

import base64
import json
import pathlib
import subprocess
import tempfile

from .kubernetes_api import KubernetesApi
from .process import clean_environment


def write_kubeconfig(
    path: pathlib.Path, server: str, authority: pathlib.Path | None, user: dict, namespace: str = ""
) -> pathlib.Path:
    """`user`: the credentials as in a kubeconfig: {"token": …}, {"exec": {…}}, {"client-certificate": path, …}."""
    cluster = {"server": server, **({"certificate-authority": str(authority)} if authority else {})}
    context = {"cluster": "test", "user": "user", **({"namespace": namespace} if namespace else {})}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}], "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "test", "context": context}],
    }, indent=1) + "\n")  # fmt: skip
    path.chmod(0o600)
    return path


def api_of(kubeconfig: pathlib.Path) -> KubernetesApi:
    """A client for the current context of any kubeconfig that has a token or a certificate."""
    view = subprocess.run(
        ["kubectl", "config", "view", "--kubeconfig", str(kubeconfig), "--raw", "--flatten", "--minify", "-o", "json"],
        check=True, capture_output=True, env=clean_environment(),
    ).stdout  # fmt: skip
    content = json.loads(view)
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    # Python's TLS reads keys from files alone. They are removed with the client.
    keys = tempfile.TemporaryDirectory(prefix="fb-kubeconfig-")
    folder = pathlib.Path(keys.name)
    authority = _file(folder / "ca.pem", cluster.get("certificate-authority-data"))
    certificate, key = (_file(folder / name, user.get(f"client-{name}-data")) for name in ("certificate", "key"))
    pair = (certificate, key) if certificate and key else None
    return KubernetesApi(cluster["server"], authority, pair, user.get("token", ""), keys)


def _file(path: pathlib.Path, data: str | None) -> pathlib.Path | None:
    if not data:
        return None
    path.write_bytes(base64.b64decode(data))
    path.chmod(0o600)
    return path
