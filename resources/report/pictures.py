"""Pictures of the report: copied out of artefacts, each once."""

import shutil
from pathlib import Path

from PIL import Image

from resources import keys
from resources.artifacts import Artifacts

THUMBNAIL = 128


class Pictures:
    """Copies pictures out of artefacts into the report, each once."""

    def __init__(self, artifacts: Artifacts, folder: Path) -> None:
        self._artifacts, self._folder = artifacts, folder
        self._sets: dict[tuple[str, str], Path | None] = {}

    def artefact_file(self, asset: str, partition: str, name: str) -> str | None:
        """One file of a current artefact, copied; None where it is not there."""
        manifest = self._artifacts.find_current(asset, partition)
        if manifest is None or name not in {entry.path for entry in manifest.files}:
            return None
        target = f"pictures/{asset.replace('/', '-')}-{partition}-{name}"
        (self._folder / target).write_bytes(self._artifacts.store.read_file(manifest, name))
        return target

    def painting(self, painter: str, image_id: str) -> str:
        """A prepared painting, small; an empty name where its set is gone."""
        return self.thumbnail(keys.PAINTINGS, painter, f"images/{image_id}.png")

    def thumbnail(self, asset: str, partition: str, name: str) -> str:
        """A picture of a current image set, small; an empty name where it is gone."""
        if (asset, partition) not in self._sets:
            manifest = self._artifacts.find_current(asset, partition)
            self._sets[asset, partition] = self._artifacts.fetch(manifest) if manifest else None
        folder = self._sets[asset, partition]
        if folder is None or not (folder / name).exists():
            return ""
        target = f"pictures/{partition}-{Path(name).stem}"
        with Image.open(folder / name) as image:
            # What is small already is shown as it is: nothing may be smoothed away.
            whole = max(image.size) <= THUMBNAIL and Path(name).suffix == ".png"
            target += ".png" if whole else ".jpg"
            if (self._folder / target).exists():
                return target
            if whole:
                shutil.copyfile(folder / name, self._folder / target)
            else:
                image.thumbnail((THUMBNAIL, THUMBNAIL))
                image.save(self._folder / target, "JPEG", quality=85)
        return target
