"""Images of flows, from `flow.deploy(image=…)` to the run in a container: the real engine, registry, server and worker."""

import json
import re
import textwrap

import pytest
from forebay.process import ROOT
from forebay.python_project import SDK, Project
from forebay.registry import Registry

REPO_INFO = """
    import helper
    from forebay import flow

    @flow(log_prints=True)
    def get_repo_info(repo_name: str = "forebay/forebay"):
        import getpass, os
        print(helper.greet(repo_name), os.getuid(), getpass.getuser(), os.getcwd())

    if __name__ == "__main__":
        get_repo_info.deploy(
            name="my-first-deployment",
            work_pool_name="my-docker-pool",
            job_variables={"image_pull_policy": "Never", "network_mode": "host"},

            image="my-first-deployment-image:tutorial",

            push=False
        )
"""


class ImageProject(Project):
    def __init__(self, env, directory, engine, base: str):
        super().__init__(env, directory)
        # The classic builder, which does without the bridge that the tests' engine has not.
        self.settings = {"DOCKER_BUILDKIT": "0", "DOCKER_HOST": engine.address, "FOREBAY_BASE_IMAGE": base, "DOCKER_CONFIG": str(directory / "docker")}

    def run(self, name: str = "repo_info.py", **environment: str):
        return self.python(name, **{**self.settings, **environment})

    def deploys(self, call: str, **environment: str):
        """What `flow.deploy(call)` of a flow in repo_info.py says."""
        self.write("deploy.py", f"from forebay import DockerImage\nimport repo_info\nrepo_info.get_repo_info.deploy({call})\n")
        return self.run("deploy.py", **environment)


@pytest.fixture
def project(env, api, scratch, docker_engine, python_image):
    pool = api.create_pool("my-docker-pool", "docker")
    # The tests' engine has no network but the host's.
    pool.policy = json.dumps({"rules": [{"field": "network_mode", "allow": ["host"]}, {"field": "volumes", "allow": ["/**"]}]})
    api.WorkPoolService.UpdateWorkPool(work_pool=pool, update_mask={"paths": ["policy"]})
    made = ImageProject(env, scratch / "project", docker_engine, python_image)
    made.write("repo_info.py", REPO_INFO)
    made.write("helper.py", "def greet(name):\n    return f'statistics of {name}'\n")
    made.write("requirements.txt", "forebay\n")
    return made


@pytest.fixture
def worker(env, project, docker_engine):
    return env.new_worker("my-docker-pool", arguments=("--docker-host", docker_engine.address))


NAME = '"my-first-deployment-image:tutorial"'
# BuildKit would take the engine's bridge, which that of the tests has not.
ALONE = f'DockerImage({NAME}, network_mode="none")'


@pytest.mark.parametrize(
    ("buildkit", "image"),
    [("0", NAME), ("1", ALONE), ("", ALONE)],
    ids=["classic", "buildkit", "as the engine wants"],
)
def test_the_tutorials_flow_is_built_deployed_and_runs(env, api, project, worker, docker_engine, buildkit, image):
    docker_engine.remove_image("my-first-deployment-image:tutorial")
    project.write("repo_info.py", REPO_INFO.replace(NAME, image).replace("import flow", "import DockerImage, flow"))
    done = project.run(DOCKER_BUILDKIT=buildkit)
    assert done.returncode == 0, done.stderr
    assert "Building my-first-deployment-image:tutorial" in done.stderr
    # Plain lines where there is no terminal, each step once.
    assert done.stderr.count("COPY --chown=10001:10001 flows /opt/flows") == 1 and "\x1b" not in done.stderr
    assert "get-repo-info/my-first-deployment" in done.stdout
    assert "forebay deployment run 'get-repo-info/my-first-deployment' --watch" in done.stdout
    deployment = api.DeploymentService.GetDeployment(name="get-repo-info/my-first-deployment").deployment
    assert json.loads(deployment.job_variables)["image"] == "my-first-deployment-image:tutorial"
    run_id = api.submit("get-repo-info/my-first-deployment")
    run = api.wait_for_end(run_id)
    assert run.state.name == "Completed", api.output(run_id)
    assert api.output(run_id) == ["statistics of forebay/forebay 10001 flow /opt/flows"]


def test_what_is_left_out_of_an_image_and_what_is_not_of_ours(project, docker_engine):
    project.write(".dockerignore", "*.secret\n!public.secret\ndata/**\n")
    for name in ("my.secret", "public.secret", "data/big.bin", "kept/file.txt"):
        project.write(name, "content")
    done = project.deploys('"d", "my-docker-pool", image="left-out:1", push=False')
    assert done.returncode == 0, done.stderr
    docker_engine.create("left-out", "left-out:1", ["/bin/sh", "-c", "find /opt/flows -type f | sort"])
    try:
        docker_engine.start_container("left-out")
        assert docker_engine.wait_for_exit("left-out") == 0
        lines = docker_engine.request("GET", "/containers/left-out/logs?stdout=1", raw=True)
    finally:
        docker_engine.remove("left-out")
    found = set(re.findall(r"/opt/flows/(\S+)\n", lines.decode(errors="replace")))
    assert found == {"repo_info.py", "helper.py", "deploy.py", "requirements.txt", "public.secret", "kept/file.txt"}
    # Nothing of ours is left in the user's directory.
    assert not (project.directory / "Dockerfile").exists() and not list(project.directory.glob(".forebay*"))


def test_layers_of_what_did_not_change_are_kept(project, docker_engine):
    call = '"d", "my-docker-pool", image="layers:1", push=False'
    assert project.deploys(call).returncode == 0
    first = docker_engine.inspect_image("layers:1")["RootFS"]["Layers"]
    project.write("helper.py", "def greet(name):\n    return f'other'\n")
    assert project.deploys(call).returncode == 0
    second = docker_engine.inspect_image("layers:1")["RootFS"]["Layers"]
    # The code is the last one that has files; nothing is installed again for its sake.
    assert first[:-1] == second[:-1] and first[-1] != second[-1]


@pytest.mark.parametrize("buildkit", ["0", "1"])
def test_a_build_that_fails_shows_the_step_and_registers_nothing(api, project, buildkit):
    base = project.settings["FOREBAY_BASE_IMAGE"]
    project.write("Dockerfile", f"FROM {base}\nRUN echo looking for it && echo it is not here >&2 && exit 3\n")
    image = 'DockerImage("failing", "1", dockerfile="Dockerfile", network_mode="none")'
    done = project.deploys(f'"d", "my-docker-pool", image={image}, push=False', DOCKER_BUILDKIT=buildkit)
    assert done.returncode == 1
    assert "looking for it" in done.stderr and "it is not here" in done.stderr
    assert "error: image failing:1 cannot be built" in done.stderr and "3" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not api.DeploymentService.ListDeployments().deployments


def test_an_own_dockerfile_with_build_options(env, api, project, worker):
    text = """
        ARG BASE
        FROM $BASE AS base
        ARG GREETING
        ENV GREETING=$GREETING
        FROM base AS wanted
        WORKDIR /code
        COPY . /code
        FROM base AS unwanted
        RUN exit 1
    """
    project.write("docker/own.dockerfile", textwrap.dedent(text))
    project.write("repo_info.py", REPO_INFO.replace("print(helper", "print(os.environ['GREETING'], helper"))
    base = project.settings["FOREBAY_BASE_IMAGE"]
    image = f'DockerImage("own:1", dockerfile="docker/own.dockerfile", target="wanted", buildargs={{"BASE": {base!r}, "GREETING": "hi"}})'
    variables = {"network_mode": "host", "env": {"PYTHONPATH": "/sdk"}, "volumes": [f"{SDK}:/sdk:ro"]}
    done = project.deploys(f'"d", "my-docker-pool", image={image}, push=False, job_variables={variables!r}')
    assert done.returncode == 0, done.stderr
    run_id = api.submit("get-repo-info/d")
    assert api.wait_for_end(run_id).state.name == "Completed", api.output(run_id)
    assert api.output(run_id) == ["hi statistics of forebay/forebay 0 root /code"]


def test_push_with_a_login_and_pull_from_there(env, api, project, docker_engine, scratch):
    registry = Registry(scratch, login=True).start()
    try:
        name = f"{registry.address}/team/flows:1"
        call = f'"d", "my-docker-pool", image="{name}", job_variables={{"network_mode": "host"}}'
        refused = project.deploys(call)
        assert refused.returncode == 1 and f"error: image {name} cannot be pushed" in refused.stderr, refused.stderr
        assert f"next: docker login {registry.address}" in refused.stderr
        assert not api.DeploymentService.ListDeployments().deployments
        project.write("docker/config.json", json.dumps(registry.docker_config))
        done = project.deploys(call)
        assert done.returncode == 0, done.stderr
        assert f"Pushing {name}" in done.stderr
        docker_engine.remove_image(name)
        docker_engine.pull_image(name, registry.auth)
        # One that begins at an image behind the login.
        docker_engine.remove_image(name)
        project.write("Dockerfile", f"FROM {name}\nRUN true\n")
        again = f'"d", "my-docker-pool", image=DockerImage("{name}-child", dockerfile="Dockerfile"), push=False'
        done = project.deploys(again)
        assert done.returncode == 0, done.stderr
        docker_engine.remove_image(name + "-child")
        docker_engine.remove_image(name)
    finally:
        registry.close()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ('"d", "my-docker-pol", image="x:1"', "forebay work-pool create"),
        ('"d", "plain", image="x:1"', "declares no variable `image`"),
        ('"d", "my-docker-pool"', 'give image="name:tag"'),
        ('"d", "my-docker-pool", image="Not An Image"', "'Not An Image' is no name of an image"),
        ('"d", "my-docker-pool", image=DockerImage("x:1", tag="2")', "give one of them"),
        ('"d", "my-docker-pool", image=DockerImage("x", dockerfile="no/such")', "there is no no/such in"),
        ('"d", "my-docker-pool", image=DockerImage("x", nocahe=True)', "did you mean nocache?"),
        ('"d", "my-docker-pool", image=DockerImage("x", context="docker")', "lies outside"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_built(api, project, call, told):
    api.create_pool("plain")
    project.write("docker/config.json", "{}")
    done = project.deploys(call)
    assert done.returncode == 1 and told in done.stderr, done.stderr
    assert "Building" not in done.stderr
    assert not api.DeploymentService.ListDeployments().deployments


def test_a_dockerfile_that_is_there_is_not_passed_over(project):
    project.write("Dockerfile", "FROM scratch\n")
    done = project.run()
    assert done.returncode == 1 and "there is a Dockerfile already" in done.stderr, done.stderr


def test_an_engine_that_is_not_there(project, scratch):
    done = project.run(DOCKER_HOST=f"unix://{scratch}/none.sock")
    assert done.returncode == 1
    assert f"error: the Docker engine at unix://{scratch}/none.sock does not answer" in done.stderr
    assert "next: docker info" in done.stderr and "Traceback" not in done.stderr


def test_what_is_there_already_is_deployed_without_a_build(api, project):
    done = project.deploys('"d", "my-docker-pool", image="registry.example.com/team/flows:7", build=False')
    assert done.returncode == 0, done.stderr
    deployment = api.DeploymentService.GetDeployment(name="get-repo-info/d").deployment
    assert json.loads(deployment.job_variables)["image"] == "registry.example.com/team/flows:7"
    assert "Building" not in done.stderr


def test_the_base_image_of_the_repository(env, api, project, worker, docker_engine):
    base = project.settings["FOREBAY_BASE_IMAGE"]
    image = f'DockerImage("forebay/python", "3.11", "deploy/docker/flow/Dockerfile", context={str(ROOT)!r}, buildargs={{"BASE": {base!r}}})'
    done = project.python("-c", f"from forebay import DockerImage; print({image}.build())", **project.settings)
    assert (done.returncode, done.stdout) == (0, "forebay/python:3.11\n"), done.stderr
    done = project.run(FOREBAY_BASE_IMAGE="forebay/python:3.11")
    assert done.returncode == 0, done.stderr
    run_id = api.submit("get-repo-info/my-first-deployment")
    assert api.wait_for_end(run_id).state.name == "Completed", api.output(run_id)
