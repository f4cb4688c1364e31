"""What the official client for Python makes of an API server: one JSON object of observations, the same for every server
that is one. Usage: calls.py KUBECONFIG NAMESPACE IMAGE"""

import json
import sys
import time

from kubernetes import client, config, watch

PATIENCE = 60


def job(name: str, image: str, *command: str) -> client.V1Job:
    container = client.V1Container(name="main", image=image, image_pull_policy="Never", command=list(command))
    pod = client.V1PodSpec(restart_policy="Never", containers=[container], termination_grace_period_seconds=1)
    template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels={"calls": name}), spec=pod)
    return client.V1Job(metadata=client.V1ObjectMeta(name=name), spec=client.V1JobSpec(template=template, backoff_limit=0))


def refusal(call, *arguments, **options) -> list:
    """[code, reason] of a call that is refused."""
    try:
        call(*arguments, **options)
    except client.ApiException as error:
        try:
            return [error.status, json.loads(error.body).get("reason")]
        except (TypeError, ValueError):
            return [error.status, error.reason.split(":")[0]]
    return ["not refused"]


def until(condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (answer := condition()) is not None:
            return answer
        time.sleep(0.05)
    raise AssertionError("not in time")


class Calls:
    def __init__(self, kubeconfig: str, namespace: str, image: str):
        config.load_kube_config(kubeconfig)
        self.namespace = namespace
        self.image = image
        self.core = client.CoreV1Api()
        self.batch = client.BatchV1Api()

    def all(self) -> dict:
        parts = (self.basics, self.refusals, self.run, self.secrets, self.deletion, self.default_deletion, self.pages)
        return {part.__name__: part() for part in parts}

    def create(self, name: str, *command: str, **options):
        return self.batch.create_namespaced_job(self.namespace, job(name, self.image, *command), **options)

    def pod_of(self, name: str):
        def found():
            pods = self.core.list_namespaced_pod(self.namespace, label_selector=f"calls={name},job-name in ({name})").items
            return pods[0] if pods else None

        return until(found)

    def basics(self) -> dict:
        resources = client.V1ResourceAttributes(namespace=self.namespace, verb="create", group="batch", resource="jobs")
        review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=resources))
        dry = self.create("dry", "true", dry_run="All")
        return {
            "version": client.VersionApi().get_code().minor,
            "allowed": client.AuthorizationV1Api().create_self_subject_access_review(review).status.allowed,
            "dry": [dry.metadata.name, dry.spec.completions, dry.spec.completion_mode],
            "not made": refusal(self.batch.read_namespaced_job, "dry", self.namespace),
            "namespace": self.core.read_namespace(self.namespace).status.phase,
        }

    def refusals(self) -> dict:
        bad = job("Bad_Name", self.image, "true")
        always = job("always", self.image, "true")
        always.spec.template.spec.restart_policy = "Always"
        imageless = job("imageless", self.image, "true")
        imageless.spec.template.spec.containers[0].image = None
        typed = {"metadata": {"name": "typed"}, "spec": {"backoffLimit": "three", "template": {}}}
        unknown = {**typed, "spec": {"backOffLimit": 3, "template": {"spec": {}}}}
        create, pods, here = self.batch.create_namespaced_job, self.core.list_namespaced_pod, self.namespace
        old = refusal(lambda: list(watch.Watch().stream(pods, here, resource_version="1", timeout_seconds=1)))
        return {
            "name": refusal(create, here, bad), "restart policy": refusal(create, here, always),
            "image": refusal(create, here, imageless), "type": refusal(create, here, typed),
            "unknown": refusal(create, here, unknown, field_validation="Strict"),
            "namespace": refusal(create, "nowhere", job("x", self.image, "true")),
            "absent": refusal(self.batch.read_namespaced_job, "absent", here),
            "field selector": refusal(pods, here, field_selector="spec.foo=1"),
            "label selector": refusal(pods, here, label_selector="a b"), "old watch": old,
        }  # fmt: skip

    def run(self) -> dict:
        """A Job from its begin to its end, by a watch."""
        begin = self.core.list_namespaced_pod(self.namespace).metadata.resource_version
        made = self.create("run", "/bin/sh", "-c", "echo first; echo second; exit 3")
        seen, last = [], None
        stream = watch.Watch().stream(self.core.list_namespaced_pod, self.namespace, label_selector="calls=run",
                                      resource_version=begin, allow_watch_bookmarks=True, timeout_seconds=PATIENCE)  # fmt: skip
        for event in stream:
            if event["type"] == "BOOKMARK":
                continue
            last = event["object"]
            seen.append(event["type"])
            if last.status.phase in ("Succeeded", "Failed"):
                break
        end = last.status.container_statuses[0].state.terminated
        name = last.metadata.name
        conditions = until(lambda: self.batch.read_namespaced_job("run", self.namespace).status.conditions)
        until(lambda: self._ended_by("Failed"))
        return {
            "labels": sorted(made.metadata.labels), "first": seen[0], "others": sorted(set(seen[1:])),
            "end": [last.status.phase, end.exit_code, end.reason], "bound": last.spec.node_name is not None,
            "owner": [last.metadata.owner_references[0].kind, last.metadata.owner_references[0].block_owner_deletion],
            "log": self.core.read_namespaced_pod_log(name, self.namespace),
            "tail": self.core.read_namespaced_pod_log(name, self.namespace, tail_lines=1),
            "since": self.core.read_namespaced_pod_log(name, self.namespace, since_seconds=3600),
            "other container": refusal(self.core.read_namespaced_pod_log, name, self.namespace, container="other"),
            "condition": conditions[0].type, "again": refusal(self.create, "run", "true"),
            "events": self._event_reasons(name), "gone after": self._patches(name),
        }  # fmt: skip

    def _ended_by(self, kind: str):
        conditions = self.batch.read_namespaced_job("run", self.namespace).status.conditions or []
        return next((True for condition in conditions if condition.type == kind), None)

    def _event_reasons(self, pod: str) -> list:
        selector = f"involvedObject.kind=Pod,involvedObject.name={pod},type=Normal"
        events = self.core.list_namespaced_event(self.namespace, field_selector=selector).items
        return sorted({event.reason for event in events} & {"Scheduled"})

    def _patches(self, pod: str) -> list:
        here = self.namespace
        patch = self.core.patch_namespaced_pod
        version = patch(pod, here, {"metadata": {"annotations": {"a/b": "c"}}}).metadata.annotations["a/b"]
        operations = [{"op": "test", "path": "/metadata/annotations/a~1b", "value": "c"},
                      {"op": "replace", "path": "/metadata/annotations/a~1b", "value": "d"}]  # fmt: skip
        replaced = patch(pod, here, operations).metadata.annotations["a/b"]
        return [
            version, replaced, refusal(patch, pod, here, operations),
            refusal(patch, pod, here, {"metadata": {"resourceVersion": "1", "annotations": {"a/b": "e"}}}),
            refusal(patch, pod, here, {"metadata": {"uid": "other"}}),
            refusal(patch, pod, here, {"spec": {"nodeName": "other"}}),
        ]  # fmt: skip

    def secrets(self) -> dict:
        secret = client.V1Secret(metadata=client.V1ObjectMeta(name="s"), string_data={"key": "value"})
        made = self.core.create_namespaced_secret(self.namespace, secret)
        long = client.V1Secret(metadata=client.V1ObjectMeta(name="long"), data={"k": "A" * 1_500_000})
        bad = {"metadata": {"name": "bad"}, "data": {"k": "no base64!"}}
        return {
            "data": made.data, "type": made.type,
            "again": refusal(self.core.create_namespaced_secret, self.namespace, secret),
            "bad": refusal(self.core.create_namespaced_secret, self.namespace, bad),
            "long": refusal(self.core.create_namespaced_secret, self.namespace, long),
            "deleted": self.core.delete_namespaced_secret("s", self.namespace).status,
        }  # fmt: skip

    def deletion(self) -> dict:
        """In the foreground: the Job is gone when its Pod is, and what it owns goes with it."""
        made = self.create("long", "sleep", "1000")
        owner = client.V1OwnerReference("batch/v1", kind="Job", name="long", uid=made.metadata.uid)
        metadata = client.V1ObjectMeta(name="owned", owner_references=[owner])
        self.core.create_namespaced_secret(self.namespace, client.V1Secret(metadata=metadata))
        pod = self.pod_of("long")
        until(lambda: True if self.pod_of("long").status.phase == "Running" else None)
        delete = self.batch.delete_namespaced_job
        preconditions = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="other"))
        wrong = refusal(delete, "long", self.namespace, body=preconditions)
        delete("long", self.namespace, propagation_policy="Foreground")
        here = self.namespace
        until(lambda: True if refusal(self.batch.read_namespaced_job, "long", here) == [404, "NotFound"] else None)
        return {
            "wrong": wrong, "policy": refusal(delete, "run", here, propagation_policy="Other"),
            "pod": refusal(self.core.read_namespaced_pod, pod.metadata.name, here),
            "secret": until(lambda: self._gone("owned")), "again": refusal(delete, "long", here),
        }  # fmt: skip

    def _gone(self, secret: str):
        answer = refusal(self.core.read_namespaced_secret, secret, self.namespace)
        return answer if answer[0] == 404 else None

    def default_deletion(self) -> dict:
        """Who says nothing leaves the Pods."""
        pod = self.pod_of("run").metadata.name
        self.batch.delete_namespaced_job("run", self.namespace)
        until(lambda: True if refusal(self.batch.read_namespaced_job, "run", self.namespace)[0] == 404 else None)
        left = self.core.read_namespaced_pod(pod, self.namespace)
        self.core.delete_namespaced_pod(pod, self.namespace, grace_period_seconds=0)
        return {"owners": left.metadata.owner_references, "finalizers": left.metadata.finalizers}

    def pages(self) -> dict:
        for name in ("p1", "p2", "p3"):
            self.core.create_namespaced_secret(self.namespace, client.V1Secret(metadata=client.V1ObjectMeta(name=name)))
        first = self.core.list_namespaced_secret(self.namespace, limit=2, field_selector="type=Opaque")
        second = self.core.list_namespaced_secret(self.namespace, limit=2, _continue=first.metadata._continue)
        return {"first": [item.metadata.name for item in first.items], "second": [item.metadata.name for item in second.items],
                "same version": first.metadata.resource_version == second.metadata.resource_version}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(Calls(*sys.argv[1:]).all()))
