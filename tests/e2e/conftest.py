"""A real webserver and daemon over a state of their own, and a real headless Chromium."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from needed import lacking
from plain import plain_environment

REPOSITORY = Path(__file__).parents[2]
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --disable-background-networking "
    "--no-first-run --disable-component-update --disable-sync --window-size=1600,1400"
)
STUDY = """
name: tiny
title: A tiny study
painters:
  tiny_master:
    title: Tiny stand-ins
    paint_side: 64
    classes:
      0: {name: the master, paint: {hand: master, count: 8}}
      1: {name: other painters, paint: {hand: others, count: 8}}
    split: {valid: 0.25, test: 0.25}
    folds: 2
    prepare: {size: 64}
networks:
  probe:
    painter: tiny_master
    recipe: {architecture: probe}
  tiles:
    painter: tiny_master
    recipe: {architecture: tiles, input_size: 32, epochs: 2, steps_per_epoch: 2, batch_size: 4}
subjects:
  tiny_person:
    title: Nobody in particular
    album: {person: 1, photos: 20, held_out: 0}
    ssim_side: 32
    splits:
      held_back: 2
      minimum: 2
      splits: [{name: all_01, verified: true}]
experiments:
  words:
    title: Two pictures
    model: small
    method: {name: base}
    prompts: [a photo of a young man, a photo of a dog]
    seeds: [0]
    sampling: {num_inference_steps: 10, guidance_scale: 4.0}
  taught:
    title: Taught a person in two steps
    model: small
    subject: tiny_person
    called: sks man
    prompts:
      ages: {template: "a photo of {model} {age}", ages: {as a young man: 20, as an old man: 70}}
      class: [a photo of a man]
    seeds: {seed: 0, images_per_prompt: 1}
    sampling: {num_inference_steps: 10}
    method:
      name: dreambooth
      split: all_01
      instance_prompt: a photo of sks man
      class_prompt: a photo of a man
      num_class_images: 2
      steps: 2
      checkpoint_steps: 1
      judged: {prompts: [a photo of sks man], images_per_prompt: 1, sampling: {num_inference_steps: 10}}
"""


class Ui:
    """Where the server is, and its GraphQL."""

    def __init__(self, url):
        self.url = url

    def ask(self, query):
        body = json.dumps({"query": query}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/graphql", body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def runs(self):
        found = self.ask("{runsOrError{...on Runs{results{runId status}}}}")
        return [run["status"] for run in found["runsOrError"]["results"]]

    def newest_run(self):
        found = self.ask("{runsOrError(limit: 1){...on Runs{results{runId}}}}")
        return found["runsOrError"]["results"][0]["runId"]

    def groups(self):
        """Group -> the last parts of the keys of its assets."""
        found = {}
        for node in self.ask("{assetNodes{groupName assetKey{path}}}")["assetNodes"]:
            found.setdefault(node["groupName"], set()).add(node["assetKey"]["path"][-1])
        return found

    def wait_for_runs(self, count, seconds=400):
        """Statuses of all runs, once there are ``count`` and all have ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            statuses = self.runs()
            if len(statuses) >= count and set(statuses) <= {"SUCCESS", "FAILURE", "CANCELED"}:
                return statuses
            time.sleep(1)
        raise AssertionError(f"runs did not end in {seconds} s: {self.runs()}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def ui(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ui")
    (folder / "studies").mkdir()
    (folder / "state").mkdir()
    (folder / "studies" / "tiny.yaml").write_text(STUDY)
    environment = plain_environment() | {
        "DAGSTER_HOME": str(REPOSITORY),
        "LIKENESS_STATE_DIR": str(folder / "state"),
        "LIKENESS_STUDIES": str(folder / "studies"),
        "LIKENESS_PREVIEW_URL": f"http://127.0.0.1:{free_port()}",
    }
    port = free_port()
    command = [sys.executable, "-m", "pipelines.cli", "ui", "--port", str(port)]
    with (folder / "ui.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    server = Ui(f"http://127.0.0.1:{port}")
    server.process, server.environment = process, environment
    try:
        _wait_until_up(server, folder / "ui.log")
        yield server
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)


def _wait_until_up(server, log):
    for _ in range(120):
        try:
            if server.ask("{version}"):
                return
        except OSError:
            time.sleep(1)
    raise AssertionError(f"the webserver did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def browser():
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        lacking("chromium and chromedriver are not installed (Debian: apt-get install both)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS.split():
        options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()
