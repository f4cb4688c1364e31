"""deploy/kubernetes before a real API server: it takes all of it without a word about unknown fields, and every Pod under Pod
Security "restricted"."""

import subprocess

import pytest
import yaml
from forebay.process import ROOT

BASE = ROOT / "deploy/kubernetes"
RESOURCES = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "Service": "/api/v1/namespaces/{}/services",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
}


def documents() -> list[dict]:
    text = subprocess.run(["kubectl", "kustomize", str(BASE)], check=True, capture_output=True, text=True).stdout
    return list(yaml.safe_load_all(text))


@pytest.fixture(scope="module")
def namespaces(kubernetes):
    made = {name: kubernetes.make_namespace("deploy", pod_security="restricted") for name in ("forebay", "forebay-runs")}
    yield made
    for name in made.values():
        kubernetes.remove_namespace(name)


def test_the_api_server_takes_all_of_it(kubernetes, namespaces):
    kinds = set()
    for document in documents():
        kinds.add(document["kind"])
        if document["kind"] == "Namespace":
            assert document["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
            continue
        namespace = namespaces[document["metadata"]["namespace"]]
        document["metadata"]["namespace"] = namespace
        path = RESOURCES[document["kind"]].format(namespace)
        kubernetes.api.post(path, document, dryRun="All", fieldValidation="Strict")
    assert kinds == {*RESOURCES, "Namespace"}


def test_every_pod_is_restricted(kubernetes, namespaces):
    seen = []
    for document in documents():
        if document["kind"] not in ("Deployment", "StatefulSet"):
            continue
        template = document["spec"]["template"]
        spec = {**template["spec"], "serviceAccountName": "default"}
        # The claims of a StatefulSet become volumes of its Pods.
        claims = [claim["metadata"]["name"] for claim in document["spec"].get("volumeClaimTemplates", [])]
        spec["volumes"] = [*spec["volumes"], *({"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims)]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "labels": template["metadata"]["labels"]}, "spec": spec}
        kubernetes.api.post(f"/api/v1/namespaces/{namespaces['forebay']}/pods", pod, dryRun="All", fieldValidation="Strict")
        seen.append(document["metadata"]["name"])
    assert sorted(seen) == ["forebay-postgresql", "forebay-server", "forebay-worker"]
