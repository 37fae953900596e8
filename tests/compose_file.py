"""docker-compose.yaml as processes of this machine: what containers would run, without containers."""

import re
import sys
from pathlib import Path

import yaml

from resources.settings import REPOSITORY

VARIABLE = re.compile(r"\$\{(\w+):(?:-([^}]*)|\?[^}]*)\}")


class ComposeFile:
    """The services, once ``values`` stand for the variables of ``.env``.

    ``instead`` says what else is different here: ports, hosts, and folders of the containers.
    """

    def __init__(self, values: dict[str, str], instead: dict[str, str]) -> None:
        text = (REPOSITORY / "docker-compose.yaml").read_text()
        # what has a default may be left out
        text = VARIABLE.sub(
            lambda found: values[found[1]] if found[2] is None else values.get(found[1], found[2]),
            text,
        )
        for ours, here in instead.items():
            assert ours in text, ours
            text = text.replace(ours, here)
        self.services = yaml.safe_load(text)["services"]

    def command(self, service: str) -> list[str]:
        """The programs of the virtual environment where the container has them on its path."""
        return _here(self.services[service]["command"])

    def health(self, service: str) -> list[str]:
        """The command that says with its exit code whether the service is well."""
        kind, *command = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        return _here(command)

    def environment(self, service: str) -> dict[str, str]:
        # compose puts values in when YAML has been read: nothing is then an empty text
        given = self.services[service].get("environment", {})
        return {name: "" if value is None else value for name, value in given.items()}

    def is_awaited(self, service: str) -> bool:
        """Whether another one starts only when this one is well."""
        condition = {"condition": "service_healthy"}
        waiting = (one.get("depends_on", {}) for one in self.services.values())
        return any(needed.get(service) == condition for needed in waiting)

    def order(self) -> list[str]:
        """Each service after those that it waits for."""
        done: list[str] = []
        while len(done) < len(self.services):
            ready = [
                name
                for name, service in self.services.items()
                if name not in done and set(service.get("depends_on", ())) <= set(done)
            ]
            assert ready, f"they wait for each other: {set(self.services) - set(done)}"
            done += ready
        return done


def _here(command: list[str]) -> list[str]:
    program = Path(sys.executable).parent / command[0]
    return [str(program) if program.exists() else command[0], *command[1:]]
