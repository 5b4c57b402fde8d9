"""The Kubernetes manifests as `kubectl apply -k` would send them, and what Kubernetes' own schemas let pass in them."""

import functools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

KUBERNETES = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
PAGE = KUBERNETES.parents[1] / "docs" / "how-to" / "kubernetes.md"
OVERLAYS = ("cronjob", "cronjob-sweep", "daemon", "distributed")
# The Dask cluster of the last one.
SCHEDULER, WORKER = "janitor-scheduler-distributed", "janitor-worker-distributed"
# The wheel's, beside the interpreter: never another that happens to be on the path.
KUBECTL = Path(sys.executable).with_name("kubectl")

# What Pod Security `restricted` lets a pod mount.
ALLOWED_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
EVERY_RESOURCE = {"cpu", "memory"}

Object: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Manifests:
    """What one overlay renders to."""

    objects: tuple[Object, ...]

    def of(self, kind: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str) -> Object:
        (only,) = self.of(kind)
        return only

    def named(self, kind: str, name: str) -> Object:
        (found,) = (each for each in self.of(kind) if each["metadata"]["name"] == name)
        return found

    @property
    def workload(self) -> Object:
        """The object that makes the program's pods: the CronJob if there is one, else the Deployment."""
        (only,) = self.of("CronJob") or self.of("Deployment")
        return only

    def narrowed_to(self, workload: str) -> "Manifests":
        """The same with this one of the objects that make pods."""
        return Manifests(
            tuple(
                each
                for each in self.objects
                if each["kind"] not in {"CronJob", "Deployment"} or each["metadata"]["name"] == workload
            )
        )

    @property
    def job(self) -> Object:
        """What a CronJob starts: how many pods, how often each is tried, how long."""
        spec: Object = self.one("CronJob")["spec"]["jobTemplate"]["spec"]
        return spec

    @property
    def template(self) -> Object:
        """The template of its pods: labels and all."""
        spec: Object = self.workload["spec"]
        made: Object = spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"]
        return made

    @property
    def pod(self) -> Object:
        spec: Object = self.template["spec"]
        return spec

    @property
    def container(self) -> Object:
        (only,) = self.pod["containers"]
        made: Object = only
        return made

    def environment_of(self, container: Object) -> dict[str, str]:
        """The variables of a container, but for those that Kubernetes fills in."""
        sources = (self.named("ConfigMap", each["configMapRef"]["name"]) for each in container.get("envFrom", ()))
        shared = {name: value for source in sources for name, value in source["data"].items()}
        return shared | {each["name"]: each["value"] for each in container.get("env", ()) if "value" in each}

    def files_of(self, volume: str) -> dict[str, str]:
        """The files of the ConfigMap that a volume of the pod shows."""
        (source,) = (each["configMap"]["name"] for each in self.pod["volumes"] if each["name"] == volume)
        data: dict[str, str] = self.named("ConfigMap", source)["data"]
        return data


@functools.cache
def rendered(overlay: Path | str) -> Manifests:
    """What `kubectl kustomize` makes of an overlay of ours, or of a folder elsewhere."""
    folder = KUBERNETES / "overlays" / overlay
    run = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert not run.stderr, run.stderr  # a warning: something in it is out of date
    return Manifests(tuple(yaml.safe_load_all(run.stdout)))


def not_restricted(pod: Mapping[str, Any]) -> Iterator[str]:
    """What Pod Security `restricted` would refuse in a pod, and a container that writes to its image besides."""
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield f"{key} is on"
    for volume in pod.get("volumes", ()):
        if not (volume.keys() - {"name"}) <= ALLOWED_VOLUMES:
            yield f"volume {volume['name']}"
    of_pod = pod.get("securityContext", {})
    for container in [*pod.get("initContainers", ()), *pod["containers"]]:
        yield from (f"{container['name']}: {fault}" for fault in _not_restricted(container, of_pod))


def _not_restricted(container: Mapping[str, Any], of_pod: Mapping[str, Any]) -> Iterator[str]:
    own: Mapping[str, Any] = container.get("securityContext", {})
    both = {**of_pod, **own}
    if both.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not set"
    # A name in the image cannot be proved not to be root, so the kubelet refuses it: a number is needed.
    if not both.get("runAsUser"):
        yield "runAsUser is root, or not a number"
    if both.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "seccompProfile is not set"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not off"
    if own.get("privileged"):
        yield "it is privileged"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem is not set"
    capabilities = own.get("capabilities", {})
    if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
        yield "it keeps capabilities"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "it takes a port of the node"


def refused_of(job: Mapping[str, Any]) -> Iterator[str]:
    """What Kubernetes' own validation would refuse in a job, though its schema lets it pass."""
    pod = job["template"]["spec"]
    rules = job.get("podFailurePolicy", {}).get("rules", ())
    if rules and pod.get("restartPolicy") != "Never":
        yield "it counts failures, and the pod restarts its containers"
    names = {each["name"] for each in pod["containers"]}
    for codes in (each["onExitCodes"] for each in rules if "onExitCodes" in each):
        if codes.get("containerName") not in names:
            yield f"no container {codes.get('containerName')}"
        if codes["operator"] == "In" and 0 in codes["values"]:
            yield "a rule for success"


def unbounded(pod: Mapping[str, Any]) -> Iterator[str]:
    """What a pod may use without an end: CPU and memory not asked for or not limited, volumes without a size."""
    for container in pod["containers"]:
        for kind in ("requests", "limits"):
            missing = EVERY_RESOURCE - container.get("resources", {}).get(kind, {}).keys()
            yield from (f"{container['name']}: no {name} in {kind}" for name in sorted(missing))
    for volume in pod.get("volumes", ()):
        if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
            yield f"volume {volume['name']}: no sizeLimit"


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector of labels alone, with something in it, takes these."""
    wanted: Mapping[str, str] = selector.get("matchLabels", selector)
    return bool(wanted) and wanted.items() <= labels.items()
