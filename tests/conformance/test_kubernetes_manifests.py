"""The Jobs and Secrets that the kubernetes launcher makes (tests/golden/kubernetes), before a real API server: it takes each of
them without a word about unknown fields, and each Pod of a job that asks for nothing special under Pod Security "restricted"."""

import json

import pytest

from forebay.process import ROOT

GOLDEN = ROOT / "tests/golden/kubernetes"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))
# What these ask for is not "restricted"; the cluster would say so.
UNRESTRICTED = {"identity", "own_manifest"}


@pytest.fixture(scope="module")
def restricted(kubernetes):
    name = kubernetes.make_namespace("manifests", pod_security="restricted")
    yield name
    kubernetes.remove_namespace(name)


@pytest.fixture(scope="module")
def free(kubernetes):
    name = kubernetes.make_namespace("manifests")
    yield name
    kubernetes.remove_namespace(name)


def dry_run(kubernetes, path: str, body: dict, namespace: str) -> dict:
    body = json.loads(json.dumps(body))
    body["metadata"]["namespace"] = namespace
    return kubernetes.api.post(path.format(namespace), body, dryRun="All", fieldValidation="Strict")


@pytest.mark.parametrize("name", NAMES)
def test_the_api_server_takes_what_the_launcher_makes(kubernetes, restricted, free, name):
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    namespace = free if name in UNRESTRICTED else restricted
    job = golden["job"]
    taken = dry_run(kubernetes, "/apis/batch/v1/namespaces/{}/jobs", job, namespace)
    assert taken["spec"]["backoffLimit"] == 0
    # The standard is enforced on Pods, not on Jobs.
    template = job["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "x"}, "spec": template["spec"]}
    if "serviceAccountName" in template["spec"]:
        pod["spec"] = {**template["spec"], "serviceAccountName": "default"}
    made = dry_run(kubernetes, "/api/v1/namespaces/{}/pods", pod, namespace)
    gates = [gate["name"] for gate in made["spec"].get("schedulingGates", [])]
    assert ("forebay.io/go" in gates) == (template["metadata"]["annotations"]["forebay.io/gated"] == "true")
    if golden["secret"]:
        secret = dry_run(kubernetes, "/api/v1/namespaces/{}/secrets", golden["secret"], namespace)
        assert secret["immutable"]
