"""How the services of a guest are started and killed."""

import subprocess

import pytest
import yaml

from atomic_lib.guest.containers.services import POD, SWARM, WEB, kill_command, look_program, ports_of, services_of
from atomic_lib.guest.containers.services import start_program as start

ID = "1" * 64


def test_only_podman_plays_a_manifest() -> None:
    assert (services_of("podman"), services_of("docker")) == ((WEB, POD), (WEB,))
    assert (ports_of((WEB, POD)), ports_of((WEB,))) == ((8080, 8081), (8080,))


def test_only_docker_is_a_swarm_and_only_if_asked_for() -> None:
    assert services_of("docker", swarm=True) == (WEB, SWARM)
    assert services_of("podman", swarm=True) == (WEB, POD)
    assert len({*ports_of((WEB, POD, SWARM))}) == 3


def test_a_swarm_is_reached_by_nobody_else_and_asks_no_registry() -> None:
    program = start(SWARM, "docker", page="a page", image="web:1", image_id=ID).replace("\\\n", "")
    init, create = (next(line for line in program.splitlines() if word in line) for word in ("init", "service create"))
    assert "--advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377" in init
    assert f"--no-resolve-image sha256:{ID} " in create
    assert f"--replicas 1 --publish published={SWARM.port},target=80,mode=host " in create
    assert "source=page,target=/srv/www/index.html" in create
    assert "\ndocker config create page - >&2 <<'END'\na page\nEND\n" in program
    name = create.split("--name ")[1].split()[0]
    assert SWARM.container.endswith(f"com.docker.swarm.service.name={name})")


def test_the_unit_of_the_pod_is_that_of_its_manifest() -> None:
    program = start(POD, "podman", page="a page", image="web:1", image_id=ID)
    (path,) = [line.removeprefix("cat >").split()[0] for line in program.splitlines() if line.startswith("cat >")]
    try:
        words = ["systemd-escape", "--template=podman-kube@.service", path]
        escaped = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        pytest.skip("no systemd-escape on this host")
    assert escaped.strip() == POD.unit
    assert f"\nsystemctl enable --now {POD.unit}\n" in program


def test_the_manifest_is_one_that_kubernetes_reads() -> None:
    program = start(POD, "podman", page="a page", image="web:1", image_id=ID)
    manifest = program.split("<<'END'\n")[1].split("END\n")[0]
    pages, pod = yaml.safe_load_all(manifest)
    assert (pages["apiVersion"], pages["kind"], pages["data"]) == ("v1", "ConfigMap", {"index.html": "a page\n"})
    (container,) = pod["spec"]["containers"]
    assert (pod["apiVersion"], pod["kind"], container["image"]) == ("v1", "Pod", "web:1")
    assert container["ports"] == [{"containerPort": 80, "hostPort": POD.port}]
    assert f"{pod['metadata']['name']}-{container['name']}" == POD.container
    (volume,) = pod["spec"]["volumes"]
    assert volume["configMap"]["name"] == pages["metadata"]["name"]
    assert [mount["name"] for mount in container["volumeMounts"]] == [volume["name"]]


def test_a_pod_dies_by_itself_as_podman_starts_no_container_that_it_killed() -> None:
    assert kill_command(WEB, "docker") == "docker kill web"
    assert kill_command(SWARM, "docker") == f"docker kill {SWARM.container}"
    process = "process=$(podman inspect --format '{{.State.Pid}}' pod-web)"
    assert kill_command(POD, "podman").startswith(f"{process} && kill -KILL $process && while kill -0 ")


def test_each_service_is_looked_at_by_its_names() -> None:
    for service in (WEB, POD, SWARM):
        look = look_program(service, "podman")
        assert f'systemctl is-active {service.unit})"' in look
        assert f"\nname={service.container}\n" in look
        assert "podman inspect --format '{{.Id}}' $name)" in look
        assert f"http://127.0.0.1:{service.port}/" in look
