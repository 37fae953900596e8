"""Where this installation runs and keeps things: environment variables, read in one place."""

from pathlib import Path
from tempfile import TemporaryFile

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from likeness.errors import BadInput

REPOSITORY = Path(__file__).parent.parent


class Settings(BaseSettings):
    """``LIKENESS_*`` variables; ``.env.example`` documents them. Secrets are never among them."""

    model_config = SettingsConfigDict(env_prefix="LIKENESS_", env_ignore_empty=True)

    state_dir: Path = Field(
        REPOSITORY / ".likeness", description="Dagster's storage, scratch, warehouse, report"
    )
    store: str = Field(
        "", description="a folder, or s3://bucket/prefix; empty = state_dir/artifacts"
    )
    database: str = Field(
        "", description="postgresql://user@host:port/name of runs and events; empty = state_dir"
    )
    raw: Path | None = Field(None, description="folder of a user's own raw files")
    raw_bucket: str = Field(
        "", description="s3://bucket/prefix from which raw files are copied into the raw folder"
    )
    raw_quiet_seconds: float = Field(
        120, ge=0, description="a raw folder unchanged for so long is taken in by its sensor"
    )
    fresh_hours: float = Field(
        0, ge=0, description="a report older than this is shown as overdue; 0 = never"
    )
    preview_url: str = Field(
        "http://127.0.0.1:3001", description="where a browser finds what `likeness preview` serves"
    )
    studies: Path | None = Field(None, description="folder of a user's own study files")
    cache_gb: float = Field(20, gt=0, description="size cap of the local copy of a remote store")
    threads: int = Field(
        0, ge=0, description="threads of heavy work; 0 = all cores of this process"
    )

    def check_state(self) -> None:
        """Raises BadInput where nothing can be written below the state folder."""
        try:
            self.state_dir.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self.state_dir) as file:
                file.write(b"likeness")
        except OSError as error:
            raise BadInput(
                f"nothing can be written to the state folder {self.state_dir} ({error.strerror}): "
                "make room or set its rights, or name another LIKENESS_STATE_DIR"
            ) from error

    @property
    def store_uri(self) -> str:
        """Where artefacts are kept."""
        return self.store or str(self.state_dir.resolve() / "artifacts")
