"""Python flows by the command line: `forebay init`, forebay.yaml with build, push and pull, `forebay flow serve`."""

import json
import signal
import subprocess

import pytest
from forebay.process import ChildProcess, binary
from forebay.python_project import SDK, Project
from forebay.waiting import wait_until

FLOWS = """
    from forebay import flow

    @flow(log_prints=True, description="says hello", retries=1)
    def say_hello(name: str = "world"):
        print(f"hello {name}")

    @flow
    async def other():
        pass

    def helper():
        pass
"""
PACKAGE = {"PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def project(env, api, scratch):
    made = Project(env, scratch / "project")
    made.write("flows.py", FLOWS)
    return made


def good(done: subprocess.CompletedProcess) -> subprocess.CompletedProcess:
    assert done.returncode == 0, done.stderr
    return done


def refused(done: subprocess.CompletedProcess, *told: str):
    assert done.returncode != 0 and not done.stdout, done
    for part in told:
        assert part in done.stderr, done.stderr


def deployments(api) -> dict:
    return {found.name.replace("teams/default/flows/", "").replace("/deployments/", "/"): found for found in api.DeploymentService.ListDeployments().deployments}


def test_init_finds_the_flows_and_all_deploys_them(env, api, project):
    api.create_pool("default")
    told = good(project.forebay("init"))
    assert "Wrote forebay.yaml with 2 deployments: flows.py:say_hello, flows.py:other" in told.stderr
    assert "forebay deploy --all" in told.stderr
    refused(project.forebay("init"), "there is a forebay.yaml already", "--force")
    done = good(project.forebay("deploy", "--all"))
    assert "Deployment `say-hello/default` created" in done.stderr and "forebay worker start --pool default" in done.stderr
    found = deployments(api)
    assert set(found) == {"say-hello/default", "other/default"}
    first = found["say-hello/default"]
    assert (first.description, first.retry.retries, list(first.command[1:])) == ("says hello", 1, ["-m", "forebay", "flow-run", "execute"])
    assert json.loads(first.parameter_schema)["properties"]["name"]["type"] == "string"
    env.new_worker("default")
    run_id = api.submit("say-hello/default", job_variables=json.dumps({"env": PACKAGE}))
    assert api.wait_for_end(run_id).state.name == "Completed" and api.output(run_id) == ["hello world"]


def test_what_a_file_says_of_a_flow_wins_over_the_flow(api, project):
    api.create_pool("alpha")
    project.write(
        "deep/forebay.yaml",
        """
        deployments:
          - name: daily
            entrypoint: jobs.py:say_hello
            pool: alpha
            description: mine
            version: 3
            retries: 4
            retry_delay: 10s
            parameters: {name: Ada}
            tags: [a]
            schedules: [{cron: 0 6 * * *, timezone: Europe/Berlin}]
          - {name: plain, flow: f, pool: alpha, command: [echo, hi]}
        """,
    )
    project.write("deep/jobs.py", FLOWS)
    good(project.forebay("deploy", "-f", "deep/forebay.yaml", "--only", "say-hello/daily"))
    found = deployments(api)
    assert set(found) == {"say-hello/daily"}
    daily = found["say-hello/daily"]
    assert (daily.description, daily.version, daily.retry.retries, daily.parameters) == ("mine", "3", 4, '{"name":"Ada"}')
    assert json.loads(daily.job_variables)["working_dir"] == str(project.directory / "deep")
    (schedule,) = api.ScheduleService.ListSchedules(parent="say-hello/daily").schedules
    assert schedule.time_zone == "Europe/Berlin"
    good(project.forebay("deploy", "-f", "deep/forebay.yaml"))
    assert set(deployments(api)) == {"say-hello/daily", "f/plain"}
    refused(project.forebay("deploy", "-f", "deep/forebay.yaml", "--only", "say-hello/dayly"), "has no deployment `say-hello/dayly`", "f/plain")


def test_pull_steps_bring_the_code(env, api, project, scratch):
    api.create_pool("alpha")
    repository = scratch / "repository"
    repository.mkdir()
    repository.joinpath("flows.py").write_text((project.directory / "flows.py").read_text().replace("hello {", "pulled {"))
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Add flows"]):
        subprocess.run(["git", *who, *words], cwd=repository, check=True, capture_output=True)
    project.write(
        "forebay.yaml",
        f"""
        pull:
          - git_clone: {{repository: "file://{repository}", branch: main}}
        deployments:
          - name: pulled
            entrypoint: flows.py:say_hello
            pool: alpha
          - name: here
            entrypoint: flows.py:say_hello
            pool: alpha
            pull: null
        """,
    )
    good(project.forebay("deploy", "--all"))
    env.new_worker("alpha", **PACKAGE)
    for name, told in (("pulled", "pulled world"), ("here", "hello world")):
        run_id = api.submit(f"say-hello/{name}", job_variables=json.dumps({"env": PACKAGE}))
        assert api.wait_for_end(run_id).state.name == "Completed", api.output(run_id)
        assert api.output(run_id)[-1] == told


@pytest.fixture
def engine(docker_engine, python_image):
    """What finds the tests' engine, and a base image that it has."""
    return {"DOCKER_BUILDKIT": "0", "DOCKER_HOST": docker_engine.address, "FOREBAY_BASE_IMAGE": python_image}


def test_an_image_is_built_once_for_all_that_share_it(env, api, project, docker_engine, engine):
    api.create_pool("boxes", "docker")
    api.create_pool("alpha")
    project.write(
        "forebay.yaml",
        """
        build: {image: shared-by-two}
        push: false
        deployments:
          - {name: a, entrypoint: flows.py:say_hello, pool: boxes}
          - {name: b, entrypoint: flows.py:other, pool: boxes}
          - {name: c, entrypoint: flows.py:other, pool: alpha, build: null}
        """,
    )
    done = good(project.forebay("deploy", "--all", **engine))
    assert done.stderr.count("Building shared-by-two:") == 1
    found = deployments(api)
    variables = [json.loads(found[name].job_variables) for name in ("say-hello/a", "other/b")]
    assert variables[0] == variables[1] and variables[0]["image_pull_policy"] == "IfNotPresent"
    assert variables[0]["image"].startswith("shared-by-two:2")
    assert docker_engine.inspect_image(variables[0]["image"])["Config"]["User"] == "10001:10001"
    assert json.loads(found["say-hello/a"].pull_steps) == [{"set_working_directory": {"directory": "/opt/flows"}}]
    assert "image" not in json.loads(found["other/c"].job_variables)


def test_an_image_by_an_option_and_its_run(env, api, project, docker_engine, engine):
    pool = api.create_pool("boxes", "docker")
    pool.policy = json.dumps({"rules": [{"field": "network_mode", "allow": ["host"]}]})
    api.WorkPoolService.UpdateWorkPool(work_pool=pool, update_mask={"paths": ["policy"]})
    env.new_worker("boxes", arguments=("--docker-host", docker_engine.address))
    words = ("deploy", "flows.py:say_hello", "--pool", "boxes", "--job-variable", "network_mode=host")
    refused(project.forebay(*words, **engine), "flows.py:say_hello is a file of this machine", "--image NAME")
    done = good(project.forebay(*words, "--image", "by-option:1", "--no-push", "--watch", **engine))
    assert "hello world" in done.stdout, done.stderr
    refused(project.forebay(*words, "--no-push"), "--no-push is about an image")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: alpha, build: img:1}]", ["declares no variable `image`", "forebay work-pool create --type docker"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: boxes, build: {image: UPPER}}]", ["'UPPER' is no name of an image"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: boxes, build: {image: x, dockerfil: y}}]", ["dockerfil"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: boxes, build: {image: x, dockerfile: Missing}}]", ["there is no Missing"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: boxes, build: [x]}]", ["`build` must be the name of an image"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: alpha, push: maybe}]", ["`push` must be true or false"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: alpha, pull: {git_clone: {}}}]", ["`pull` must be a list of steps"]),
        ("deployments: [{name: a, entrypoint: flows.py:helper, pool: alpha}]", ["`helper` in flows.py is no flow", "say_hello"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, command: [x], pool: alpha}]", ["`command` must be left out"]),
        ("deployments: [{name: a, flow: f, command: [x], pool: alpha, build: x}]", ["`build` must be left out where there is no `entrypoint`"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: nope}]", ["nope"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: alpha, pull: [{git_clon: {}}]}]", ["unknown key `git_clon`; did you mean `git_clone`?"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: alpha, parameters: {name: 7}}]", ["parameter `name` is 7"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: alpha, limits: [nope]}]", ["nope"]),
        ("deployments: [{name: a, entrypoint: flows.py:say_hello, pool: alpha, queue: nope}]", ["nope"]),
        ("deployments: [{name: a/b, entrypoint: flows.py:say_hello, pool: alpha}]", ["a/b"]),
        ("deployments: [{name: by-hand, entrypoint: flows.py:say_hello, pool: alpha}]", ["started by hand"]),
        ("deployments: [{name: fine, entrypoint: flows.py:other, pool: alpha}]", ["deployment other/fine stands there twice"]),
        ("biuld: x\ndeployments: []", ["unknown key `biuld`; did you mean `build`?"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_registered(api, project, text, told):
    api.create_pool("alpha")
    api.create_pool("boxes", "docker")
    # The first one is fine.
    fine = "{name: fine, entrypoint: flows.py:other, pool: alpha}"
    project.write("forebay.yaml", text.replace("deployments: [{", f"deployments: [{fine}, {{"))
    refused(project.forebay("deploy", "--all"), *told)
    assert not deployments(api)


def test_init_keeps_apart_what_has_one_name_and_quotes_what_yaml_would_read(env, api, project):
    project.write("deep/flows.py", FLOWS)
    good(project.forebay("init", "--pool", "x: y"))
    text = (project.directory / "forebay.yaml").read_text()
    assert text.count("- name: deep-flows-py") == 2 and text.count("- name: flows-py") == 2 and 'pool: "x: y"' in text
    for origin, kept in (
        ("ssh://git@example.org/team/flows.git", "ssh://git@example.org/team/flows.git"),
        ("https://user:p@ss@example.org/x.git", "https://example.org/x.git"),
        ("git@example.org:team/flows.git", "git@example.org:team/flows.git"),
    ):
        subprocess.run(["git", "init", "-q", "."], cwd=project.directory, check=True)
        subprocess.run(["git", "remote", "remove", "origin"], cwd=project.directory, check=False, capture_output=True)
        subprocess.run(["git", "remote", "add", "origin", origin], cwd=project.directory, check=True)
        good(project.forebay("init", "--from", "git", "--force"))
        assert f'repository: "{kept}"' in (project.directory / "forebay.yaml").read_text()


def test_one_of_a_file_does_not_need_the_others(api, project):
    api.create_pool("alpha")
    project.write("broken.py", "raise ValueError('broken')\n")
    entries = "{name: good, entrypoint: flows.py:other, pool: alpha}, {name: bad, entrypoint: broken.py:f, pool: alpha}"
    project.write("forebay.yaml", f"deployments: [{entries}]")
    good(project.forebay("deploy", "--only", "other/good"))
    assert set(deployments(api)) == {"other/good"}


def test_what_a_directory_has_not(project):
    refused(project.forebay("deploy", "--all"), "there is no file forebay.yaml", "forebay init")
    (project.directory / "flows.py").unlink()
    refused(project.forebay("init"), "no function in the Python files below this directory is marked with @flow")
    refused(project.forebay("init", "x.py:f", "--from", "git"), "--from git needs a git repository")
    good(project.forebay("init", "x.py:f", "--from", "image", "--pool", "boxes"))
    text = (project.directory / "forebay.yaml").read_text()
    assert "image: project:latest" in text and 'pool: "boxes"' in text


@pytest.fixture
def served(project):
    started = []

    def serve(*words: str) -> ChildProcess:
        argv = [str(binary("forebay")), "flow", "serve", *words]
        child = ChildProcess("served", argv, project.directory, **project.environment())
        started.append(child)
        child.spawn()
        wait_until(lambda: "Serving" in child.tail() or not child.running, what="it serves")
        return child

    yield serve
    for child in started:
        child.close()


def test_flow_serve(api, project, served):
    child = served("flows.py:say_hello", "--name", "here", "--param", "name=Ada", "--interval", "1h30m", "--tag", "x", "--limit", "2")
    assert child.running, child.tail()
    (deployment,) = deployments(api).values()
    assert list(deployment.tags) == ["x"] and deployment.parameters == '{"name":"Ada"}'
    (schedule,) = api.ScheduleService.ListSchedules(parent="say-hello/here").schedules
    assert schedule.interval.every.seconds == 5400
    run_id = api.submit("say-hello/here")
    assert api.wait_for_end(run_id).state.name == "Completed" and api.output(run_id) == ["hello Ada"]
    child.signal(signal.SIGINT)
    assert child.wait() == 0 and "Paused the schedules" in child.tail()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("flows.py:helper",), "is no flow"),
        (("flows.py:say_hello", "--interval", "often"), "--interval 'often' is no duration"),
        (("flows.py:say_hello", "--cron", "nonsense"), "nonsense"),
        (("flows.py:say_hello", "--cron", "@daily", "--interval", "5"), "give one of cron, interval, rrule"),
        (("flows.py:say_hello", "--param", "x"), "--param 'x' is not key=value"),
    ],
)
def test_flow_serve_refuses(api, project, served, words, told):
    child = served(*words)
    assert child.wait() == 1 and told in child.tail()
    assert not deployments(api)
