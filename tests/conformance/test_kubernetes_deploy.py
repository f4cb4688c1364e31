"""deploy/kubernetes before a real API server, by kustomize and by Helm: it takes all of it without a word about unknown fields,
and every Pod under Pod Security "restricted"."""

import shutil
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


def rendered(*command: str) -> list[dict]:
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [document for document in yaml.safe_load_all(text) if document is not None]


def kustomized() -> list[dict]:
    return rendered("kubectl", "kustomize", str(BASE))


def of_chart(*options: str) -> list[dict]:
    if shutil.which("helm") is None:
        pytest.skip("helm is not installed")
    # The oldest cluster that the chart says it is for.
    return rendered("helm", "template", "forebay", str(BASE / "chart"), "-n", "forebay", "--kube-version", "1.27.0", *options)


@pytest.fixture(params=["kustomize", "helm"])
def documents(request) -> list[dict]:
    return kustomized() if request.param == "kustomize" else of_chart()


def by_name(documents: list[dict]) -> dict[tuple, dict]:
    """Those that are in a namespace."""
    found = [document for document in documents if document["kind"] != "Namespace"]
    named = {(document["kind"], document["metadata"]["namespace"], document["metadata"]["name"]): document for document in found}
    assert len(named) == len(found)
    return named


@pytest.fixture(scope="module")
def namespaces(kubernetes):
    made = {name: kubernetes.make_namespace("deploy", pod_security="restricted") for name in ("forebay", "forebay-runs")}
    yield made
    for name in made.values():
        kubernetes.remove_namespace(name)


def test_the_api_server_takes_all_of_it(kubernetes, namespaces, documents):
    kinds = set()
    for document in documents:
        kinds.add(document["kind"])
        if document["kind"] == "Namespace":
            assert document["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
            continue
        namespace = namespaces[document["metadata"]["namespace"]]
        document["metadata"]["namespace"] = namespace
        path = RESOURCES[document["kind"]].format(namespace)
        kubernetes.api.post(path, document, dryRun="All", fieldValidation="Strict")
    assert kinds - {"Namespace"} == {*RESOURCES}


def test_every_pod_is_restricted(kubernetes, namespaces, documents):
    seen = []
    for document in documents:
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


def test_the_chart_makes_what_kustomize_makes():
    """But the namespaces, which are there before: the database's Secret is in one of them."""
    chart = of_chart()
    assert not [document for document in chart if document["kind"] == "Namespace"]
    assert by_name(chart) == by_name(kustomized())


def test_the_values_of_the_chart():
    assert [document["kind"] for document in of_chart("--set", "runs.createNamespace=true")].count("Namespace") == 1
    assert "StatefulSet" not in {document["kind"] for document in of_chart("--set", "postgresql.enabled=false")}
    assert "NetworkPolicy" not in {document["kind"] for document in of_chart("--set", "networkPolicies=false")}
    # What looks like a number, and a number that Helm would write as 1e+06.
    options = ("--set", "worker.pool=7", "--set-json", "worker.limit=1000000")
    worker = by_name(of_chart(*options))["Deployment", "forebay", "forebay-worker"]
    values = {item["name"]: item.get("value") for item in worker["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert (values["FOREBAY_WORKER_POOL"], values["FOREBAY_WORKER_LIMIT"]) == ("7", "1000000")


def test_the_chart_passes_lint():
    if shutil.which("helm") is None:
        pytest.skip("helm is not installed")
    subprocess.run(["helm", "lint", "--strict", str(BASE / "chart")], check=True, capture_output=True)
