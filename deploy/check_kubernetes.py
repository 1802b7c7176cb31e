#!/usr/bin/env python3
"""deploy/kubernetes is right: kustomize builds it, and what it builds keeps to the schemas of Kubernetes and to our own rules.

Builds the example alone and with each component (all of them at the end), without a cluster and without the network. Checked are
the schemas of the oldest and the newest Kubernetes (kubernetes-validate), the objects of KEDA by a closed list of their fields,
and what no schema knows: names that objects use for each other, security of the pods, times of a stop, and that the example's
settings are accepted by a program ($BUILD/bin/bigfusion-filter, where it was built).
Usage: deploy/check_kubernetes.py      Exit status: 0; 1 with a line for each fault; 100 where a tool is missing.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(os.environ.get("BIGFUSION_TOOLS", "/usr/local/lib/bigfusion-tools"))
FOLDER = ROOT / "deploy/kubernetes"
VERSIONS = ("1.29", "1.37")
STAGES = {"poller", "filter", "mapper", "pusher"}
INPUTS = {"filter": "orders.raw", "mapper": "orders.eligible", "pusher": "orders.payloads"}
# Secrets that people make by hand: they are in no file.
SECRETS = {"bigfusion-bigcommerce", "bigfusion-infusionsoft"}
SERVICES = STAGES | {"console"}
STOP_S = {"pusher": 25 + 20}  # docs/operations.md: 25 s, the pusher http_timeout_s more

# KEDA's own objects (https://keda.sh): a closed list of their fields, for no schema of them is at hand.
SCALED_OBJECT = {"scaleTargetRef": {"name": str}, "pollingInterval": int, "cooldownPeriod": int, "minReplicaCount": int,
                 "maxReplicaCount": int, "advanced": {"horizontalPodAutoscalerConfig": {"behavior": dict}}, "triggers": list}
TRIGGER = {"type": str, "metadata": {name: str for name in (
    "bootstrapServers", "consumerGroup", "topic", "lagThreshold", "activationLagThreshold", "offsetResetPolicy",
    "allowIdleConsumers", "limitToPartitionsWithLag", "excludePersistentLag", "version", "sasl", "tls")},
    "authenticationRef": {"name": str}}

sys.path.insert(0, str(TOOLS / "python"))
try:
    import kubernetes_validate
    import yaml
except ImportError:
    print("kubernetes-check: kubernetes-validate is not there; run: deploy/install-deps.sh kubernetes", file=sys.stderr)
    sys.exit(100)

KUSTOMIZE = shutil.which("kustomize") or shutil.which("kustomize", path=str(TOOLS))
faults = []


def fault(where, text):
    faults.append(f"{where}: {text}")


def build(components):
    """The objects of the example with these components."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(FOLDER, f"{copy}/kubernetes")
        path = Path(copy, "kubernetes/example/kustomization.yaml")
        overlay = yaml.safe_load(path.read_text(encoding="utf-8"))
        overlay["components"] = [f"../components/{name}" for name in components]
        path.write_text(yaml.safe_dump(overlay), encoding="utf-8")
        answer = subprocess.run([KUSTOMIZE, "build", path.parent], capture_output=True, text=True, check=False)
    if answer.returncode != 0 or "Warning" in answer.stderr:
        fault("kustomize", answer.stderr.strip())
    return [item for item in yaml.safe_load_all(answer.stdout) if item]


def check_fields(where, value, fields):
    for name, content in value.items():
        kind = fields.get(name)
        if kind is None:
            fault(where, f"KEDA has no field {name}")
        elif isinstance(kind, dict):
            check_fields(f"{where}.{name}", content, kind)
        elif not isinstance(content, kind):
            fault(where, f"{name} is no {kind.__name__}")


def check_scaled_object(where, item, conf):
    spec = item["spec"]
    check_fields(where, spec, SCALED_OBJECT)
    stage = spec["scaleTargetRef"]["name"].removeprefix("bigfusion-")
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]  # KEDA gives it to an autoscaler as it is
    validate(where, {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "x"},
                     "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "x"}, "maxReplicas": 1, "behavior": behavior}})
    for trigger in spec["triggers"]:
        check_fields(where, trigger, TRIGGER)
        about = trigger["metadata"]
        if (about["consumerGroup"], about["topic"]) != (f"bigfusion.{stage}", f"bigfusion.{INPUTS.get(stage)}"):
            fault(where, f"{about['consumerGroup']} does not read {about['topic']}")
        if about["bootstrapServers"] != conf["brokers"]:
            fault(where, "bootstrapServers are not those of bigfusion.conf")
    if not 2 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= int(conf["partitions"]):
        fault(where, "replicas: at least 2, and no more than there are partitions")


def validate(where, item):
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.ValidationError as err:
            fault(where, f"Kubernetes {version}: {'.'.join(map(str, err.path))}: {err.message[:200]}")


def check_pod(where, name, template, made, claims=()):
    pod, container = template["spec"], template["spec"]["containers"][0]
    own, outer = container.get("securityContext", {}), pod.get("securityContext", {})
    if not (outer.get("runAsNonRoot") and outer.get("runAsUser") == 10001
            and outer.get("seccompProfile") == {"type": "RuntimeDefault"} and own.get("readOnlyRootFilesystem")
            and own.get("allowPrivilegeEscalation") is False and own.get("capabilities") == {"drop": ["ALL"]}
            and pod.get("automountServiceAccountToken") is False):
        fault(where, "the pod may do more than it must")
    if not {"requests", "limits"} <= set(container.get("resources", {})) or "memory" not in container["resources"]["limits"]:
        fault(where, "no resources")
    version = re.search(r"^VERSION := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1]
    if container["image"].rpartition(":")[2] != version:
        fault(where, f"image {container['image']}, not {version}")
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    if {mount["name"] for mount in container["volumeMounts"]} != set(volumes) | set(claims):
        fault(where, "volumes and mounts differ")
    for volume in volumes.values():
        for kind, used in (("ConfigMap", volume.get("configMap", {}).get("name")),
                           ("Secret", volume.get("secret", {}).get("secretName")),
                           ("PersistentVolumeClaim", volume.get("persistentVolumeClaim", {}).get("claimName"))):
            if used and (kind, used) not in made and not (kind == "Secret" and used in SECRETS):
                fault(where, f"no {kind} {used}")
    if name in SERVICES:
        if not {"livenessProbe", "readinessProbe", "startupProbe"} <= set(container):
            fault(where, "a probe is missing")
        if pod["terminationGracePeriodSeconds"] < STOP_S.get(name, 25):
            fault(where, "it is killed before it has stopped")


def selects(selector, labels):
    """Whether a label selector matches."""
    return (all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
            and all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", [])))


def check_network(objects, pods):
    """A pod reaches what it needs, and nothing else: DNS and Kafka; Redis and the vendors too where it uses them."""
    for name, labels in pods.items():
        ports, peers = set(), set()
        for item in objects:
            if item["kind"] == "NetworkPolicy" and selects(item["spec"]["podSelector"], labels):
                for rule in item["spec"].get("egress", []):
                    ports |= {port["port"] for port in rule["ports"]}
                    peers |= {peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in rule["to"]
                              if "podSelector" in peer}
        calls = name not in ("filter", "mapper")
        if ports != {53, 9092, 9093} | ({6379, 443} if calls else set()) or peers != {"kafka"} | ({"redis"} if calls else set()):
            fault(name, f"may reach ports {sorted(ports)} of {sorted(peers)}")


def settings():
    """[kafka] of the example's settings; a program that reads no secrets accepts the file."""
    path = FOLDER / "example/bigfusion.conf"
    program = ROOT / os.environ.get("BUILD", "build") / "bin/bigfusion-filter"
    if program.exists():
        answer = subprocess.run([program, "--check", "--config", path], capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            fault(path.name, answer.stderr.strip())
    text = path.read_text(encoding="utf-8")
    return {name: re.search(rf"^{name} = (.*)$", text, re.M)[1] for name in ("brokers", "partitions")}


def check(components, conf):
    objects = build(components)
    made = {(item["kind"], item["metadata"]["name"]) for item in objects}
    pods = {}
    for item in objects:
        where = f"{'+'.join(['example', *components])}: {item['kind']} {item['metadata']['name']}"
        if item["kind"] == "ScaledObject":
            check_scaled_object(where, item, conf)
            continue
        validate(where, item)
        if item["kind"] in ("Deployment", "Job", "StatefulSet"):
            template = item["spec"]["template"]
            name = template["metadata"]["labels"]["app.kubernetes.io/component"]
            pods[name] = template["metadata"]["labels"]
            claims = [claim["metadata"]["name"] for claim in item["spec"].get("volumeClaimTemplates", [])]
            check_pod(where, name, template, made, claims)
            if item["kind"] == "StatefulSet" and item["spec"]["replicas"] != 1:
                fault(where, "it has an index of its own, so there is one")
            if ("replicas" in item["spec"]) == (("ScaledObject", item["metadata"]["name"]) in made) and item["kind"] == "Deployment":
                fault(where, "either KEDA or the Deployment says how many replicas")
    if set(pods) != SERVICES | {"setup"}:
        fault("pods", f"there are {sorted(pods)}")
    for item in objects:
        if item["kind"] == "PodDisruptionBudget":
            chosen = [name for name, labels in pods.items() if selects(item["spec"]["selector"], labels)]
            if [item["metadata"]["name"]] != [f"bigfusion-{name}" for name in chosen]:
                fault(item["metadata"]["name"], f"selects {chosen}")
    check_network(objects, pods)
    return len(objects)


def main():
    if KUSTOMIZE is None:
        print("kubernetes-check: kustomize is not there; run: deploy/install-deps.sh kubernetes", file=sys.stderr)
        return 100
    conf = settings()
    components = sorted(path.name for path in (FOLDER / "components").iterdir())
    count = sum(check(chosen, conf) for chosen in ([], *([name] for name in components), components))
    for line in dict.fromkeys(faults):
        print(f"kubernetes-check: {line}", file=sys.stderr)
    if not faults:
        print(f"kubernetes-check: objects={count} accepted by Kubernetes {' and '.join(VERSIONS)}, components: {' '.join(components)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
