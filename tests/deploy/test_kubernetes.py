import copy
import functools
import re
import shutil
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest

import janitor
from janitor.settings.cron import parse_cron
from janitor.settings.parsers import S3Prefix
from janitor.settings.schedule import Schedule, load_schedule
from tests.deploy.kubernetes_manifests import (
    KUBERNETES,
    OVERLAYS,
    PAGE,
    SCHEDULER,
    WORKER,
    Manifests,
    not_restricted,
    refused_of,
    rendered,
    selects,
    unbounded,
)

OLDEST_KUBERNETES = "1.29"  # as docs/how-to/kubernetes.md says
NEWEST_KUBERNETES = ".".join(kubernetes_validate.latest_version().split(".")[:2])
CUSTOM = {"PodMonitor"}
OPTION = "  # - ../../components/"


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> Manifests:
    return rendered(request.param)


@pytest.fixture(params=[*OVERLAYS, SCHEDULER, WORKER])
def pods(request: pytest.FixtureRequest) -> Manifests:
    """Each overlay with each kind of its pods."""
    return rendered(request.param) if request.param in OVERLAYS else rendered("distributed").narrowed_to(request.param)


@pytest.fixture(params=[name for name in OVERLAYS if name != "daemon"])
def cronjob(request: pytest.FixtureRequest) -> Manifests:
    return rendered(request.param)


@pytest.fixture(scope="module")
def edited_daemon(tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    """The daemon with every option uncommented and another namespace, as an operator would edit it."""
    folder = tmp_path_factory.mktemp("edited") / "kubernetes"
    shutil.copytree(KUBERNETES, folder)
    file = folder / "overlays" / "daemon" / "kustomization.yaml"
    text = file.read_text()
    assert text.count(OPTION) == len(["podmonitor", "persistent-state"])
    file.write_text(
        text.replace(OPTION, "  - ../../components/").replace("namespace: token-janitor", "namespace: ours")
    )
    return rendered(file.parent)


def schedules(manifests: Manifests, folder: Path) -> Iterator[Schedule]:
    """The schedule files of a pod, read by the program."""
    for name, text in manifests.files_of("schedules").items():
        (folder / name).write_text(text)
        yield load_schedule(folder / name)


@pytest.mark.parametrize("version", [OLDEST_KUBERNETES, NEWEST_KUBERNETES])
def test_kubernetes_knows_every_field(overlay: Manifests, edited_daemon: Manifests, version: str) -> None:
    checked = [each for each in overlay.objects + edited_daemon.objects if each["kind"] not in CUSTOM]
    assert {kubernetes_validate.validate(each, version, strict=True) for each in checked} == {version}


def test_an_unknown_field_would_be_noticed() -> None:
    wrong = copy.deepcopy(rendered("cronjob").one("CronJob"))
    wrong["spec"]["jobTemplate"]["spec"]["backofLimit"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, OLDEST_KUBERNETES, strict=True)


def test_every_pod_is_restricted_and_bounded(pods: Manifests) -> None:
    labels = rendered(KUBERNETES / "namespace").one("Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert [*not_restricted(pods.pod), *unbounded(pods.pod)] == []


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        ("pod", "hostNetwork", True),
        ("volume", "hostPath", {"path": "/"}),
        ("volume", "emptyDir", {}),
        ("security of the pod", "runAsNonRoot", False),
        ("security of the pod", "runAsUser", 0),
        ("security of the pod", "seccompProfile", {"type": "Unconfined"}),
        ("security", "allowPrivilegeEscalation", True),
        ("security", "privileged", True),
        ("security", "readOnlyRootFilesystem", False),
        ("security", "capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]}),
        ("security", "runAsUser", 0),
        ("container", "ports", [{"containerPort": 8080, "hostPort": 8080}]),
        ("container", "resources", {"requests": {"cpu": 1, "memory": 1}, "limits": {"memory": 1}}),
    ],
)
def test_each_way_out_of_the_restrictions_is_noticed(where: str, key: str, value: Any) -> None:
    pod = copy.deepcopy(rendered("daemon").pod)
    places = {
        "pod": pod,
        "volume": pod["volumes"][-1],
        "container": pod["containers"][0],
        "security": pod["containers"][0]["securityContext"],
        "security of the pod": pod["securityContext"],
    }
    places[where][key] = value
    assert len([*not_restricted(pod), *unbounded(pod)]) == 1


def test_a_pod_asks_nothing_of_kubernetes_and_hears_of_no_service(pods: Manifests) -> None:
    assert pods.pod["automountServiceAccountToken"] is False
    assert not any(each["automountServiceAccountToken"] for each in pods.of("ServiceAccount"))
    # Variables of a service named janitor-… would read like settings of the program.
    assert pods.pod["enableServiceLinks"] is False


def test_the_image_is_set_in_one_line_to_this_version(pods: Manifests) -> None:
    # The one with Dask is another target of the same build.
    image = pods.container["image"].removesuffix("-dask" if len(pods.of("ServiceAccount")) > 1 else "")
    assert image == f"registry.example.com/token-janitor:{janitor.__version__}"


def test_every_name_leads_somewhere(pods: Manifests, edited_daemon: Manifests) -> None:
    for manifests in (pods, edited_daemon):
        pod, container = manifests.pod, manifests.container
        if pod["serviceAccountName"] != "default":  # which every namespace has
            manifests.named("ServiceAccount", pod["serviceAccountName"])
        for source in container["envFrom"]:
            manifests.named("ConfigMap", source["configMapRef"]["name"])
        for volume in pod["volumes"]:
            if "configMap" in volume:
                manifests.named("ConfigMap", volume["configMap"]["name"])
            if "persistentVolumeClaim" in volume:
                manifests.named("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])
        assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
        assert len({each["metadata"].get("namespace", "") for each in manifests.objects} - {""}) == 1


def test_overlays_share_nothing_and_their_namespace_is_nobodys() -> None:
    named = [(each["kind"], each["metadata"]["name"]) for name in OVERLAYS for each in rendered(name).objects]
    assert [each for each in named if named.count(each) > 1] == []
    assert "Namespace" not in {kind for kind, _ in named}
    namespace = rendered(KUBERNETES / "namespace").one("Namespace")["metadata"]
    # No label of an overlay, which another one would change and a pruned one would select.
    assert not [label for label in namespace["labels"] if label.startswith("app.kubernetes.io/")]
    places = {each["metadata"]["namespace"] for name in OVERLAYS for each in rendered(name).objects}
    assert places == {namespace["name"]}
    accounts = [each["metadata"] for name in OVERLAYS for each in rendered(name).of("ServiceAccount")]
    assert len({each["annotations"]["eks.amazonaws.com/role-arn"] for each in accounts}) == len(OVERLAYS) + 1


def test_nothing_comes_in_and_only_dns_and_tls_go_out(overlay: Manifests) -> None:
    of_pod = functools.partial(selects, labels=overlay.template["metadata"]["labels"])
    policies = [each["spec"] for each in overlay.of("NetworkPolicy") if "dask" not in each["metadata"]["name"]]
    assert all(of_pod(each["podSelector"]) for each in policies)
    both = [each for each in policies if each["policyTypes"] == ["Ingress", "Egress"]]
    assert [each.get("ingress", []) for each in both] == [[]]
    ports = {(rule["ports"][0]["port"], "to" in rule) for rule in both[0]["egress"]}
    assert ports == {(53, False), (443, False), (80, True)}
    entries = [port["port"] for each in policies for rule in each.get("ingress", ()) for port in rule["ports"]]
    listening = [port["containerPort"] for port in overlay.container.get("ports", ())]
    assert entries == listening
    others = [rendered(name).template["metadata"]["labels"] for name in OVERLAYS]
    assert [selects(both[0]["podSelector"], labels) for labels in others].count(True) == 1


def test_nothing_deletes_as_it_is_shipped_and_what_could_archives_in_s3(tmp_path: Path) -> None:
    read = {name: list(schedules(rendered(name), tmp_path)) for name in OVERLAYS}
    assert [each.is_sweep for name in OVERLAYS for each in read[name]] == [False, True, False, True, True]
    every = [each for of_one in read.values() for each in of_one]
    assert not any(each.deletes for each in every)
    assert all(isinstance(each.values["archive"], S3Prefix) for each in every if each.is_sweep)
    assert all(each.description for each in every)
    assert [each.when.cron is None for each in every] == [True, True, False, False, True]


def test_a_cronjob_fires_by_a_clock_of_its_own_one_at_a_time(cronjob: Manifests) -> None:
    spec = cronjob.one("CronJob")["spec"]
    assert parse_cron(spec["schedule"]) == spec["schedule"]
    assert spec["timeZone"] in zoneinfo.available_timezones()
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] >= 10 * 60  # below 10 s it might never start
    assert 0 < spec["successfulJobsHistoryLimit"] <= 10
    assert 0 < spec["failedJobsHistoryLimit"] <= 10


def test_a_run_ends_by_itself_before_its_job_is_ended_both_attempts(cronjob: Manifests, tmp_path: Path) -> None:
    (schedule,) = schedules(cronjob, tmp_path)
    job = cronjob.job
    attempts = 1 + job["backoffLimit"]
    assert job["activeDeadlineSeconds"] > attempts * schedule.values["deadline"]
    assert job["ttlSecondsAfterFinished"] > 0
    assert cronjob.pod["restartPolicy"] == "Never"
    assert cronjob.pod["terminationGracePeriodSeconds"] > 10


def test_only_a_failure_that_may_pass_is_tried_again(cronjob: Manifests) -> None:
    first, *rules = cronjob.job["podFailurePolicy"]["rules"]
    assert first == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    ends = {code: rule["action"] for rule in rules for code in rule["onExitCodes"]["values"]}
    assert ends == dict.fromkeys([2, 3, 4], "FailJob")
    assert {rule["onExitCodes"]["operator"] for rule in rules} == {"In"}


def test_kubernetes_would_take_the_job(cronjob: Manifests) -> None:
    assert list(refused_of(cronjob.job)) == []


@pytest.mark.parametrize(
    "of_pod",
    [
        {"restartPolicy": "OnFailure"},
        {"containers": [{"name": "other"}]},
    ],
)
def test_each_job_that_kubernetes_would_not_take_is_noticed(of_pod: dict[str, Any]) -> None:
    sweep = rendered("cronjob-sweep")
    assert list(refused_of({**sweep.job, "template": {"spec": {**sweep.pod, **of_pod}}}))


def test_an_attempt_holds_the_lease_for_its_job(cronjob: Manifests) -> None:
    [holder] = [each for each in cronjob.container["env"] if each["name"] == "JANITOR_LEASE_HOLDER"]
    path = holder["valueFrom"]["fieldRef"]["fieldPath"]
    assert path == "metadata.labels['batch.kubernetes.io/controller-uid']"


def test_the_log_of_a_pod_is_lines_and_no_report(overlay: Manifests, tmp_path: Path) -> None:
    for schedule in schedules(overlay, tmp_path):
        # The daemon's runs say nothing on its standard output unless they are told to.
        assert schedule.values.get("format", "none") == "none"


def test_sweep_scheduler_and_workers_reach_each_other_over_tls_and_nobody_else_does(tmp_path: Path) -> None:
    whole = rendered("distributed")
    parts = [whole, whole.narrowed_to(SCHEDULER), whole.narrowed_to(WORKER)]
    sweep, scheduler, worker = (each.container for each in parts)
    policy = whole.named("NetworkPolicy", "janitor-dask-distributed")["spec"]
    ((coming,), (going,)) = policy["ingress"], policy["egress"]
    ((source,), (target,)) = coming["from"], going["to"]
    others = [rendered(name).template["metadata"]["labels"] for name in OVERLAYS if name != "distributed"]
    for selector in (policy["podSelector"], source["podSelector"], target["podSelector"]):
        assert all(selects(selector, each.template["metadata"]["labels"]) for each in parts)
        assert not any(selects(selector, labels) for labels in others)
    (port,) = (each["containerPort"] for each in scheduler["ports"])
    listening = [port, int(worker["command"][worker["command"].index("--worker-port") + 1])]
    assert [each["port"] for each in coming["ports"]] == [each["port"] for each in going["ports"]] == listening

    service = whole.one("Service")
    address = f"tls://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    (schedule,) = schedules(whole, tmp_path)
    assert {schedule.values["dask"], worker["command"][2]} == {address}
    selected = [selects(service["spec"]["selector"], each.template["metadata"]["labels"]) for each in parts]
    assert selected == [False, True, False]
    for part, container in zip(parts, (sweep, scheduler, worker), strict=True):
        variables = whole.environment_of(container)
        assert variables["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "True"
        # A worker that runs out of memory writes no row to a disk.
        assert variables["DASK_DISTRIBUTED__WORKER__MEMORY__SPILL"] == "False"
        assert {"name": "tls", "secret": {"secretName": "janitor-dask-tls"}} in part.pod["volumes"]
    assert part.pod["serviceAccountName"] not in {whole.pod["serviceAccountName"], "default"}


def test_what_the_readme_deletes_together_every_cluster_knows() -> None:
    # kubectl deletes nothing at all where it does not know one of the kinds.
    built_in = {each["kind"].lower() for name in OVERLAYS for each in rendered(name).objects}
    together = [kinds.split(",") for kinds in re.findall(r"delete ([a-z,]+) -l", PAGE.read_text())]
    assert built_in in [{*kinds} for kinds in together]
    assert all({*kinds} <= built_in for kinds in together if len(kinds) > 1)


def test_the_daemon_is_one_and_its_probes_and_its_service_find_it() -> None:
    daemon = rendered("daemon")
    spec, container = daemon.workload["spec"], daemon.container
    # Without a number of replicas there is one, and what `kubectl scale` says outlives the next apply.
    assert ("replicas" in spec, spec["strategy"]) == (False, {"type": "Recreate"})
    assert daemon.pod["terminationGracePeriodSeconds"] > 10
    (port,) = container["ports"]
    probes = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert [each["path"] for each in probes.values()] == ["/healthz", "/healthz", "/readyz"]
    assert {each["port"] for each in probes.values()} == {port["name"]}
    service = daemon.one("Service")["spec"]
    assert service["ports"][0]["targetPort"] == port["name"]
    assert selects(service["selector"], daemon.template["metadata"]["labels"])
    assert f"0.0.0.0:{port['containerPort']}" in container["args"]


def test_the_options_of_the_daemon_find_it_in_a_namespace_of_another_name(edited_daemon: Manifests) -> None:
    labels = edited_daemon.template["metadata"]["labels"]
    monitor = edited_daemon.one("PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert selects(monitor["spec"]["selector"], labels)
    assert (endpoint["port"], endpoint["path"]) == (edited_daemon.container["ports"][0]["name"], "/metrics")
    assert all(selects(each["spec"]["podSelector"], labels) for each in edited_daemon.of("NetworkPolicy"))
    state = {each["name"]: each for each in edited_daemon.pod["volumes"]}["state"]
    assert state.keys() == {"name", "persistentVolumeClaim"}
    assert {each["metadata"]["namespace"] for each in edited_daemon.objects} == {"ours"}
    assert [*not_restricted(edited_daemon.pod), *unbounded(edited_daemon.pod)] == []


@pytest.mark.parametrize(("overlay", "name"), [("cronjob", "report"), ("cronjob-sweep", "sweep")])
def test_metrics_tell_the_jobs_of_the_overlays_apart(overlay: str, name: str) -> None:
    manifests = rendered(overlay)
    [variable] = [each for each in manifests.container["env"] if each["name"] == "JANITOR_JOB"]
    path = variable["valueFrom"]["fieldRef"]["fieldPath"]
    labels = manifests.job["template"]["metadata"]["labels"]
    assert path == "metadata.labels['app.kubernetes.io/component']"
    assert labels["app.kubernetes.io/component"] == name
