"""A split that came with the data."""

from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field


class Given(BaseModel):
    """A split that came with the data: which folders are which split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: list[str] = Field(min_length=1, description="folders whose pictures are for training")
    valid: list[str] = Field(min_length=1, description="folders whose pictures are for validation")
    test: list[str] = Field([], description="folders whose pictures are for the test")

    def split_of(self, path: str) -> str:
        """``train``, ``valid`` or ``test`` for a raw file's path; empty where no folder fits."""
        parents = PurePosixPath(path).parents
        for split in ("train", "valid", "test"):
            if any(PurePosixPath(folder) in parents for folder in getattr(self, split)):
                return split
        return ""
