"""Every service of docker-compose.yaml, started from its own command line as a process.

Containers cannot run here: the ports, hosts and folders of the file are replaced by some of this
machine, and nothing else.
"""

import json
import os
import re
import secrets
import signal
import subprocess
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import psutil
import pytest
from compose_file import ComposeFile
from plain import plain_environment
from postgres_server import programs
from s3_server import free_port, rclone, wait_for
from team import STUDY, leaks, painter_study
from working import working

from resources.settings import REPOSITORY

pytestmark = [pytest.mark.s3, pytest.mark.postgres, pytest.mark.slow]
OURS = ("code", "webserver", "preview", "daemon")
LONG = """
name: long
title: Pictures that take many minutes
experiments:
  words:
    title: Five hundred steps each
    model: small
    method: {name: base}
    prompts: [a photo of a young man, a photo of a dog]
    seeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    sampling: {num_inference_steps: 500, guidance_scale: 4.0}
"""


@pytest.fixture(scope="module")
def services(postgres, tmp_path_factory):
    """The whole file, each service started once those that it waits for are well."""
    folder = tmp_path_factory.mktemp("compose")
    for name in ("data", "state", "raw", "studies", "logs"):
        (folder / name).mkdir()
    for name, study in {"team": STUDY, "killed": painter_study("killed"), "long": LONG}.items():
        (folder / "studies" / f"{name}.yaml").write_text(study)
    web, store, pictures = free_port(), free_port(), free_port()
    values = {
        "POSTGRES_PASSWORD": postgres.password,
        "AWS_ACCESS_KEY_ID": "likeness-test-key",
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
        "RAW": str(folder / "raw"),
        "PREVIEW_URL": f"http://127.0.0.1:{pictures}",
    }
    instead = {
        "postgres:5432": f"127.0.0.1:{postgres.port}",
        '"5432"': f'"{postgres.port}"',
        "http://s3:9000": f"http://127.0.0.1:{store}",
        "9000": str(store),
        "0.0.0.0": "127.0.0.1",
        "CODE_HOST: code": "CODE_HOST: 127.0.0.1",
        "4000": str(free_port()),
        "3000": str(web),
        "3001": str(pictures),
        "/data/": f"{folder}/data/",
        ", /data]": f", {folder}/data]",
        ": /app": f": {REPOSITORY}",
        ": /state": f": {folder}/state",
        ": /raw": f": {folder}/raw",
        ": /studies": f": {folder}/studies",
    }
    file = ComposeFile(values, instead)
    environment = plain_environment()
    found = SimpleNamespace(
        file=file, folder=folder, values=values, url=f"http://127.0.0.1:{web}", processes={},
        environment={name: environment | file.environment(name) for name in file.services},
    )  # fmt: skip
    postgres.stop()
    with ExitStack() as stack:
        found.start = lambda name: _start(name, found, postgres, stack, f"http://127.0.0.1:{store}")
        for name in file.order():
            found.start(name)
        yield found


def _start(name, services, postgres, stack, store):
    command = services.file.command(name)
    log = services.folder / "logs" / f"{name}.log"
    if name == "postgres":
        postgres.start(*command[1:])
        postgres.empty()
    elif name == "bucket":
        subprocess.run([rclone(), *command], check=True, env=services.environment[name])
    elif name == "s3":
        server = stack.enter_context(_process([rclone(), *command], services, name, log))
        wait_for(store, server, log)
    else:
        services.processes[name] = stack.enter_context(_process(command, services, name, log))
        if services.file.is_awaited(name):
            _until(lambda: _is_well(services, name), log)


@contextmanager
def _process(command, services, name, log):
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=services.environment[name],
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15 if name == "code" else 60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            # Dagster's code server waits for what clients that were killed had asked of it
            if name != "code":
                raise


def _is_well(services, name):
    """As its health command says, with its exit code."""
    done = subprocess.run(
        services.file.health(name), cwd=REPOSITORY, env=services.environment[name],
        capture_output=True, timeout=60,
    )  # fmt: skip
    return done.returncode == 0


def _until(condition, log, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.5)


def ask(services, query, **variables):
    """What the webserver answers to a GraphQL query."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{services.url}/graphql", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def test_each_service_says_that_it_is_well(services):
    for name in OURS:
        log = services.folder / "logs" / f"{name}.log"
        _until(lambda name=name: _is_well(services, name), log)
        assert services.processes[name].poll() is None
    ready = [str(programs() / "pg_isready"), *services.file.health("postgres")[1:]]
    assert subprocess.run(ready).returncode == 0
    (entry,) = ask(
        services,
        "{workspaceOrError{...on Workspace{locationEntries{name locationOrLoadError{__typename}}}}}",
    )["workspaceOrError"]["locationEntries"]
    assert entry == {
        "name": "likeness",
        "locationOrLoadError": {"__typename": "RepositoryLocation"},
    }


LAUNCH = """
mutation($run: ExecutionParams!) {launchRun(executionParams: $run) {
  __typename ...on LaunchRunSuccess {run {runId}}
}}
"""


SHOWN = """
{assetOrError(assetKey: {path: ["painters", "paintings"]}) {...on Asset {
  assetMaterializations(limit: 1) {metadataEntries {...on MarkdownMetadataEntry {mdStr}}}
}}}
"""


def launch(services, job, partition, *assets):
    """Start a run as the UI does; its id."""
    where = {
        "repositoryLocationName": "likeness",
        "repositoryName": "__repository__",
        "jobName": job,
        "assetSelection": [{"path": asset.split("/")} for asset in assets],
    }
    tags = [{"key": "dagster/partition", "value": partition}]
    run = {"selector": where, "runConfigData": {}, "executionMetadata": {"tags": tags}}
    launched = ask(services, LAUNCH, run=run)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return launched["run"]["runId"]


def status_of(postgres, run):
    (status,) = postgres.ask(f"SELECT status FROM runs WHERE run_id = '{run}'")
    return status


def ends(services, postgres, run):
    """How a run has ended, waited for."""
    log = services.folder / "logs" / "code.log"
    _until(lambda: status_of(postgres, run) in ("SUCCESS", "FAILURE", "CANCELED"), log)
    return status_of(postgres, run)


def test_a_run_from_the_ui_goes_through_all_of_them(services, postgres):
    assets = ("painters/raw_paintings", "painters/paintings")
    run = launch(services, "painters_job", "team_master", *assets)
    assert ends(services, postgres, run) == "SUCCESS"
    stored = services.folder / "data" / "likeness" / "team"
    assert (stored / "refs" / "painters" / "raw_paintings" / "team_master.json").is_file()
    state = services.folder / "state"
    assert not {"history", "schedules", "artifacts"} & {path.name for path in state.iterdir()}

    for secret in (postgres.password, services.values["AWS_SECRET_ACCESS_KEY"]):
        assert leaks(secret, services.folder) == []
        assert secret not in postgres.dump()
    (shown,) = ask(services, SHOWN)["assetOrError"]["assetMaterializations"]
    (markdown,) = [entry["mdStr"] for entry in shown["metadataEntries"] if entry]
    address = re.fullmatch(r"!\[preview.jpg\]\((.+)\)", markdown)[1]
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert answer.read(2) == b"\xff\xd8"

    page = ask(services, "{instance{info}}")["instance"]["info"]
    assert postgres.password not in page


def test_all_of_them_outlive_a_restart_of_the_database(services, postgres):
    postgres.stop()
    time.sleep(2)
    postgres.start()
    _until(lambda: _is_well(services, "daemon"), services.folder / "logs" / "daemon.log")
    assert [name for name in OURS if services.processes[name].poll() is not None] == []
    assert ask(services, "{runsOrError{__typename}}")["runsOrError"]["__typename"] == "Runs"


def test_a_run_goes_on_without_daemon_and_webserver_and_both_come_back(services, postgres):
    run = launch(services, "painters_job", "killed_master", "painters/raw_paintings",
                 "painters/paintings", "painters/classes")  # fmt: skip
    log = services.folder / "logs" / "code.log"
    begun = (
        f"SELECT count(*) FROM event_logs WHERE run_id = '{run}' "
        "AND dagster_event_type = 'STEP_START'"
    )
    _until(lambda: int(postgres.ask(begun)[0]) > 0, log)
    for name in ("daemon", "webserver"):
        os.killpg(services.processes[name].pid, signal.SIGKILL)
        services.processes[name].wait(timeout=30)
    assert status_of(postgres, run) == "STARTED"
    for name in ("webserver", "daemon"):
        services.start(name)
    assert ends(services, postgres, run) == "SUCCESS"
    # what waits is taken by the new daemon
    waits = launch(services, "models_job", "small", "models/base")
    assert ends(services, postgres, waits) == "SUCCESS"
    _until(lambda: _is_well(services, "daemon"), services.folder / "logs" / "daemon.log")


END = "mutation($run: String!) {terminateRun(runId: $run) {__typename}}"


def test_a_cancelled_run_gives_its_place_back_and_leaves_no_process(services, postgres):
    small = launch(services, "models_job", "small", "models/base")
    assert ends(services, postgres, small) == "SUCCESS"
    run = launch(services, "experiments_job", "long__words", "models/finetuned", "images/made")
    log = services.folder / "logs" / "code.log"
    claimed = "SELECT step_key FROM concurrency_slots WHERE run_id IS NOT NULL"

    def tasks():
        return working(psutil.Process(services.processes["code"].pid))

    _until(lambda: postgres.ask(claimed) == ["images__made"] and tasks(), log)
    before = tasks()
    assert ask(services, END, run=run)["terminateRun"]["__typename"] == "TerminateRunSuccess"
    assert ends(services, postgres, run) == "CANCELED"
    _until(lambda: postgres.ask(claimed) == [], log)
    _until(lambda: not any(one.is_running() for one in before), log, 20)
    assert tasks() == []
    waiting = "SELECT count(*) FROM pending_steps"
    _until(lambda: postgres.ask(waiting) == ["0"], log)


def test_nothing_is_open_to_others_and_no_secret_stands_in_the_file():
    text = (REPOSITORY / "docker-compose.yaml").read_text()
    opened = re.findall(r'ports: \["([^"]+)"\]', text)
    assert text.count("ports:") == len(opened) == 2
    assert all(one.startswith("127.0.0.1:") for one in opened)
    secret = [line for line in text.splitlines() if re.search(r"(PASSWORD|KEY|KEY_ID):", line)]
    assert len(secret) == 6
    for line in secret:
        _, value = line.split(": ", 1)
        assert re.sub(r"\$\{\w+:(\?set it in \.env|-)\}", "", value).strip("'\",") == "", line
