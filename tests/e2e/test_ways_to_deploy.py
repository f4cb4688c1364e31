"""The ways from a function to a deployed flow, each as a user's script has it: called, served, from a repository, in an image.
The flow is examples/repo_info.py, with an API on loopback that answers as GitHub's does."""

import http.server
import json
import subprocess
import textwrap
import threading

import pytest
from forebay.process import ROOT, ChildProcess
from forebay.python_project import SDK, Project
from forebay.waiting import wait_until

NAME = "get-repo-info/my-first-deployment"
OUTPUT = ["grpc/grpc:", "  stars ★ 41000", "  forks ⑂ 10500"]


class GitHub(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path == "/repos/grpc/grpc"
        body = {"full_name": "grpc/grpc", "stargazers_count": 41000, "forks_count": 10500} if known else {"message": "Not Found"}
        content = json.dumps(body).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def github():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(env, api, scratch, github):
    made = Project(env, scratch / "project")
    made.parameters = json.dumps({"api": github})
    return made


def script(project, main: str, name: str = "repo_info.py"):
    """examples/repo_info.py with another end."""
    text = (ROOT / "examples" / "repo_info.py").read_text().partition('if __name__ == "__main__":')[0]
    return project.write(name, text + textwrap.dedent(main))


def completes(api, project, deployment: str = NAME):
    run_id = api.submit(deployment, parameters=project.parameters)
    run = api.wait_for_end(run_id)
    assert run.state.name == "Completed", (run.state.message, api.output(run_id))
    assert api.output(run_id)[-3:] == OUTPUT
    return run_id


def test_called(project, github):
    script(project, f'if __name__ == "__main__":\n    get_repo_info(api={github!r})\n')
    done = project.python("repo_info.py")
    assert done.returncode == 0, done.stderr
    assert [line.partition("INFO ")[2] for line in done.stderr.splitlines()] == OUTPUT


@pytest.fixture
def serve(env, project):
    started = []

    def start(main: str) -> ChildProcess:
        script(project, main)
        settings = {"FOREBAY_API_URL": env.server.http_url, "FOREBAY_API_KEY": env.admin_key, "HOME": str(project.directory)}
        child = ChildProcess("served", ["/usr/bin/python3", "repo_info.py"], project.directory, PYTHONPATH=str(SDK), **settings)
        started.append(child)
        child.spawn()
        wait_until(lambda: "Serving" in child.tail() or not child.running, what="it serves")
        assert child.running, child.tail()
        return child

    yield start
    for child in started:
        child.close()


def test_served(api, project, serve):
    serve(
        """
        if __name__ == "__main__":
            get_repo_info.serve(name="my-first-deployment")
        """
    )
    completes(api, project)


def test_served_with_a_schedule_and_what_describes_it(env, api, project, serve):
    serve(
        """
        if __name__ == "__main__":
            get_repo_info.serve(
                name="my-first-deployment",
                cron="* * * * *",
                tags=["testing", "tutorial"],
                description="Given a GitHub repository, logs statistics of it.",
                version="tutorial/deployments",
            )
        """
    )
    deployment = api.DeploymentService.GetDeployment(name=NAME).deployment
    assert list(deployment.tags) == ["testing", "tutorial"] and deployment.version == "tutorial/deployments"
    assert deployment.description == "Given a GitHub repository, logs statistics of it."
    schedules = api.ScheduleService.ListSchedules(parent=NAME).schedules
    assert [schedule.cron.expression for schedule in schedules] == ["* * * * *"]
    completes(api, project)


@pytest.fixture
def repository(project, scratch):
    path = scratch / "demos"
    path.mkdir()
    path.joinpath("repo_info.py").write_text((ROOT / "examples" / "repo_info.py").read_text())
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Add repo_info.py"]):
        subprocess.run(["git", *who, *words], cwd=path, check=True, capture_output=True)
    return f"file://{path}"


FROM_SOURCE = """
    if __name__ == "__main__":
        get_repo_info.from_source(
            source="REPOSITORY",
            entrypoint="repo_info.py:get_repo_info"
        ).deploy(
            name="my-first-deployment",
            work_pool_name="POOL",
        )
"""


def test_from_a_repository(env, api, project, repository):
    pool = api.create_pool("my-pool")
    template = json.loads(pool.base_job_template)
    template["variables"]["properties"]["env"]["default"] = {"PYTHONPATH": str(SDK), "PATH": "/usr/bin:/bin"}
    pool.base_job_template = json.dumps(template)
    api.WorkPoolService.UpdateWorkPool(work_pool=pool, update_mask={"paths": ["base_job_template"]})
    script(project, FROM_SOURCE.replace("REPOSITORY", repository).replace("POOL", "my-pool"))
    done = project.python("repo_info.py")
    assert done.returncode == 0, done.stderr
    assert "get-repo-info/my-first-deployment  created" in done.stdout
    assert f"forebay deployment run '{NAME}'" in done.stdout
    env.new_worker("my-pool")
    completes(api, project)


@pytest.mark.skip(reason="there are no managed pools yet")
def test_from_a_repository_in_a_managed_pool():
    pass


@pytest.mark.skip(reason="there are no push pools yet")
def test_with_an_image_in_a_push_pool():
    pass


@pytest.fixture
def docker_pool(env, api, docker_engine):
    pool = api.create_pool("my-docker-pool", "docker")
    template = json.loads(pool.base_job_template)
    # The tests' engine has no network but the host's.
    template["variables"]["properties"]["network_mode"]["default"] = "host"
    pool.base_job_template = json.dumps(template)
    pool.policy = json.dumps({"rules": [{"field": "network_mode", "allow": ["host"]}]})
    api.WorkPoolService.UpdateWorkPool(work_pool=pool, update_mask={"paths": ["base_job_template", "policy"]})
    env.new_worker("my-docker-pool", arguments=("--docker-host", docker_engine.address))


IN_AN_IMAGE = """
    if __name__ == "__main__":
        get_repo_info.deploy(
            name="my-first-deployment",
            work_pool_name="my-docker-pool",
            JOB_VARIABLES
            image="my-first-deployment-image:tutorial",
            push=False
        )
"""
WITH_SETTINGS = """
    from forebay.deployments import DeploymentImage

    if __name__ == "__main__":
        get_repo_info.deploy(
            name="my-first-deployment",
            work_pool_name="my-docker-pool",
            cron="0 1 * * *",
            image=DeploymentImage(
                name="my-image:latest",
                platform="linux/amd64",
            ),
            push=False
        )
"""


@pytest.mark.parametrize(
    "main",
    [IN_AN_IMAGE, IN_AN_IMAGE.replace("JOB_VARIABLES", 'job_variables={"image_pull_policy": "Never"},'), WITH_SETTINGS],
    ids=["plain", "with a job variable", "with settings of the image"],
)
def test_in_an_image(api, project, docker_pool, docker_engine, python_image, main):
    script(project, main.replace("JOB_VARIABLES", ""))
    settings = {"DOCKER_HOST": docker_engine.address, "DOCKER_BUILDKIT": "0", "FOREBAY_BASE_IMAGE": python_image}
    done = project.python("repo_info.py", **settings)
    assert done.returncode == 0, done.stderr
    completes(api, project)
