"""The files of deploy/kubernetes fit each other, the images, the settings and the metrics.

`make check` validates each file against the schemas of Kubernetes; these tests check what no schema states.
"""

import re
from typing import Any

import pytest
import yaml

from service.cli.local.commands import BATCH, INTERACTIVE
from service.jobs.dispatch import QUEUES
from service.settings import Settings
from tests.production.composed import ROOT, STAGES

FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    one for name in KUSTOMIZATION["resources"] for one in yaml.safe_load_all((FOLDER / name).read_text())
]
GUIDE = (ROOT / "docs" / "how-to" / "kubernetes.md").read_text()


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == kind}


# The pods of all Deployments and of the Job, by the name of their object.
PODS = {name: one["spec"]["template"] for kind in ("Deployment", "Job") for name, one in named(kind).items()}


def container(name: str) -> dict[str, Any]:
    (found,) = PODS[name]["spec"]["containers"]
    return dict(found)


def test_every_file_is_a_resource() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*KUSTOMIZATION["resources"], "kustomization.yaml"}
    assert set(PODS) == {"ravine-migrate", "ravine-api", "ravine-worker-interactive", "ravine-worker-batch"}


@pytest.mark.parametrize("name", PODS)
def test_every_pod_is_confined(name: str) -> None:
    pod, one = PODS[name]["spec"], container(name)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(one["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in one["resources"]["limits"]
    assert one["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]


@pytest.mark.parametrize("name", PODS)
def test_the_user_and_the_images_are_those_of_the_dockerfile(name: str) -> None:
    (user,) = re.findall(r"useradd .*--uid (\d+)", "\n".join(text for _, text in STAGES["base"]))
    assert PODS[name]["spec"]["securityContext"]["runAsUser"] == int(user)
    image = container(name)["image"]
    assert image.removeprefix("ravine-") in STAGES
    assert image in {one["name"] for one in KUSTOMIZATION["images"]}
    assert ("worker" in image) == ("worker" in name)


@pytest.mark.parametrize("name", PODS)
def test_every_reference_to_settings_and_secrets_leads_to_one(name: str) -> None:
    one = container(name)
    maps = named("ConfigMap")
    for source in one["envFrom"]:
        assert source["configMapRef"]["name"] in maps
    for given in one["env"]:
        reference = given["valueFrom"]["secretKeyRef"]
        assert reference["name"] == "ravine"
        # The command of the guide that makes the Secret.
        assert f"--from-literal={reference['key']}=" in GUIDE
    secret = {given["name"] for given in one["env"]}
    variables = secret | {variable for one in maps.values() for variable in one["data"]}
    assert {variable.removeprefix("RAVINE_").lower() for variable in variables} <= set(Settings.model_fields)
    assert ("RAVINE_API_KEY" in secret) == (name == "ravine-api")


def test_selectors_and_targets_find_their_pods() -> None:
    labels = {PODS[name]["metadata"]["labels"]["app.kubernetes.io/name"]: name for name in PODS}
    assert len(labels) == len(PODS)
    for kind in ("Deployment", "PodDisruptionBudget"):
        for one in named(kind).values():
            assert one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] in labels
    (service,) = named("Service").values()
    assert service["spec"]["selector"] == {"app.kubernetes.io/name": "ravine-api"}
    (port,) = container("ravine-api")["ports"]
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    assert port["containerPort"] == 8000
    for policy in named("NetworkPolicy").values():
        selected = policy["spec"]["podSelector"].get("matchLabels", {})
        assert set(selected.values()) <= set(labels)


def test_each_queue_has_workers_and_their_number_follows_its_shards() -> None:
    served = {name: container(name)["command"][-1].split(",") for name in PODS if "worker" in name}
    assert served == {"ravine-worker-interactive": [*INTERACTIVE], "ravine-worker-batch": [*BATCH]}
    scalers = named("HorizontalPodAutoscaler")
    assert {one["spec"]["scaleTargetRef"]["name"] for one in scalers.values()} == set(served)
    scaled = set()
    for one in scalers.values():
        (metric,) = one["spec"]["metrics"]
        queue = metric["external"]["metric"]["selector"]["matchLabels"]["queue"]
        # The first queue is the one that the workers are for.
        assert served[one["spec"]["scaleTargetRef"]["name"]][0] == queue
        scaled.add(queue)
        assert f"as: {metric['external']['metric']['name']}" in GUIDE
        assert one["spec"]["minReplicas"] >= 1
    assert scaled == set(QUEUES)
    for name in served:
        assert "replicas" not in named("Deployment")[name]["spec"]
    (query,) = re.findall(r"metricsQuery: (.*)", GUIDE)
    assert '"ravine_shards"' in (ROOT / "service" / "api" / "work_metrics.py").read_text()
    assert "ravine_shards{" in query
    assert "by (queue)" in query


def test_probes_ask_routes_that_need_no_key() -> None:
    api = container("ravine-api")
    paths = {probe: api[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe", "startupProbe")}
    assert paths == {"livenessProbe": "/healthz", "readinessProbe": "/readyz", "startupProbe": "/healthz"}
    # The host check accepts the names of the loopback address besides RAVINE_ALLOWED_HOSTS.
    for probe in paths:
        assert api[probe]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "localhost"}]
    (check,) = (text for word, text in STAGES["worker"] if word == "HEALTHCHECK")
    for queue in QUEUES:
        *_, command = container(f"ravine-worker-{queue}")["livenessProbe"]["exec"]["command"]
        assert command == check.partition("CMD ")[2]
