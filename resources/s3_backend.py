"""The artefact store in a bucket of any S3 server."""

import hashlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.credentials import EnvAWSProvider
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError, ReadTimeoutError

from likeness.errors import BadInput
from likeness.progress import EVERY_SECONDS
from resources.manifest import CHUNK, FileEntry, Manifest, Stored, move_files
from resources.read_cache import ReadCache

log = logging.getLogger("likeness")

PARALLEL = 8
READ_ATTEMPTS = 4
WRITE_ATTEMPTS = 4
WORK_TIMEOUT = urllib3.Timeout(connect=5, read=60)
PROBE_TIMEOUT = urllib3.Timeout(connect=3, read=5)
Answer = TypeVar("Answer")


class S3Backend:
    """Keys are objects below ``prefix``; artefacts are read through a local cache.

    Raises BadInput when the endpoint, the credentials or the bucket do not work.
    """

    def __init__(self, bucket: str, prefix: str, cache: ReadCache) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._cache = cache
        self._endpoint = _setting("LIKENESS_S3_ENDPOINT", "such as http://127.0.0.1:9000")
        # a wrong address shall be told in seconds, a busy server be given its time
        probe = self._client(urllib3.PoolManager(timeout=PROBE_TIMEOUT, retries=False))
        with self._plain_errors():
            if not probe.bucket_exists(bucket):
                raise self._no_bucket()
        retries = urllib3.Retry(total=4, backoff_factor=0.5, status_forcelist=(500, 502, 503, 504))
        self._http = urllib3.PoolManager(
            timeout=WORK_TIMEOUT, retries=retries, maxsize=4 * PARALLEL
        )
        self._minio = self._client(self._http)

    def stream(self, key: str) -> Iterator[bytes]:
        """The bytes of one object in pieces; FileNotFoundError when there is none."""
        done = 0
        with self._plain_errors():
            for attempt in range(1, READ_ATTEMPTS + 1):
                try:
                    for piece in self._pieces(key, done):
                        done += len(piece)
                        yield piece
                except (ProtocolError, ReadTimeoutError):
                    # a broken connection: go on where it broke, the digest tells if it went well
                    if attempt == READ_ATTEMPTS:
                        raise
                else:
                    return

    def write(self, key: str, data: bytes) -> None:
        """Put a small object in place, whole or not at all."""
        with self._plain_errors():
            self._minio.put_object(self._bucket, self._prefix + key, BytesIO(data), len(data))

    def create(self, key: str, data: bytes) -> bool:
        """Like ``write``, but False, and nothing changed, when the key is taken.

        A server that ignores ``If-None-Match`` leaves a moment in which the last writer wins.
        """
        if self._exists(key):
            return False
        with self._plain_errors():
            # the client has no call for a conditional write, a signed address takes any header
            url = self._minio.get_presigned_url(
                "PUT", self._bucket, self._prefix + key, expires=timedelta(minutes=5)
            )
            answer = _patiently(lambda: self._put_new(url, data))
        if answer.status in (409, 412):
            return False
        if answer.status != 200:
            # some servers refuse the header itself; if it was not that, this says what it was
            self.write(key, data)
        return True

    def _put_new(self, url: str, data: bytes) -> urllib3.BaseHTTPResponse:
        # Repeated by ourselves: the library would write the signed address into the log.
        answer = self._http.request(
            "PUT", url, body=data, headers={"If-None-Match": "*"}, retries=False
        )
        if answer.status >= 500:
            raise ServerError(f"the server answers {answer.status}", answer.status)
        return answer

    def delete(self, key: str) -> None:
        """Remove an object, or all objects below a folder; BadInput where it is not allowed."""
        objects = [DeleteObject(self._prefix + name) for name in [*self.listing(key), key]]
        with self._plain_errors():
            refused = list(self._minio.remove_objects(self._bucket, objects))
        if refused:
            raise BadInput(
                f"{refused[0].name} and {len(refused) - 1} more cannot be deleted from the bucket "
                f"{self._bucket} ({refused[0].message}): the keys need the right to delete"
            )

    def listing(self, prefix: str) -> dict[str, Stored]:
        """Every object below the folder ``prefix`` by its key."""
        start = self._prefix + (f"{prefix}/" if prefix else "")
        with self._plain_errors():
            return {
                item.object_name.removeprefix(self._prefix): Stored(
                    item.size, item.last_modified.timestamp()
                )
                for item in self._minio.list_objects(self._bucket, start, recursive=True)
                if not item.is_dir
            }

    def put(self, folder: Path, manifest: Manifest) -> None:
        """Upload the files of ``folder``."""
        progress = _Progress(f"uploading {manifest.asset}", manifest.bytes_total)

        def upload(entry: FileEntry) -> None:
            name = f"{self._prefix}{manifest.location}/{entry.path}"
            path = str(folder / entry.path)

            def put() -> None:
                self._minio.fput_object(self._bucket, name, path, progress=progress)

            with self._plain_errors():
                # a large file begins and ends with requests that are not repeated by themselves
                _patiently(put)

        _in_parallel(upload, manifest.files)

    def settle(self, folder: Path, manifest: Manifest) -> None:
        """Keep the files of ``folder``, which are published, in the read cache."""
        files = manifest.files
        try:
            self._cache.put(manifest.content, files, lambda temp: move_files(folder, temp, files))
        except OSError as error:
            log.warning("%s is not kept in the read cache: %s", manifest.asset, error)
        shutil.rmtree(folder, ignore_errors=True)

    def local(self, manifest: Manifest) -> Path:
        """The artefact's folder in the read cache, downloaded if need be.

        Raises CorruptArtifact when an object is missing or has other bytes than were published.
        """
        return self._cache.get(
            manifest.content, manifest.files, lambda temp: self._download(manifest, temp)
        )

    def _download(self, manifest: Manifest, folder: Path) -> None:
        progress = _Progress(f"downloading {manifest.asset}", manifest.bytes_total)

        def download(entry: FileEntry) -> None:
            path = folder / entry.path
            path.parent.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256()
            try:
                with path.open("wb") as file:
                    for piece in self.stream(f"{manifest.location}/{entry.path}"):
                        file.write(piece)
                        digest.update(piece)
                        progress.update(len(piece))
            except FileNotFoundError as error:
                raise manifest.corrupt(entry.path, "is missing") from error
            if digest.hexdigest() != entry.sha256:
                raise manifest.corrupt(entry.path, "was changed")

        _in_parallel(download, manifest.files)

    def _pieces(self, key: str, start: int) -> Iterator[bytes]:
        response = self._minio.get_object(self._bucket, self._prefix + key, offset=start)
        try:
            yield from response.stream(CHUNK)
        finally:
            response.close()
            response.release_conn()

    def _exists(self, key: str) -> bool:
        try:
            with self._plain_errors():
                self._minio.stat_object(self._bucket, self._prefix + key)
        except FileNotFoundError:
            return False
        return True

    def _client(self, http: urllib3.PoolManager) -> Minio:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            _setting(name, "the key that the S3 server knows")
        parts = urlsplit(self._endpoint)
        try:
            if parts.scheme not in ("http", "https") or not parts.netloc:
                raise ValueError("no scheme or no host")
            return Minio(
                parts.netloc + parts.path.rstrip("/"),
                credentials=EnvAWSProvider(),
                secure=parts.scheme == "https",
                region=os.environ.get("AWS_REGION") or "us-east-1",
                http_client=http,
            )
        except ValueError as error:
            raise BadInput(
                f"LIKENESS_S3_ENDPOINT is {self._endpoint!r}; write it like http://host:9000."
            ) from error

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        """Turn what the client raises into sentences; FileNotFoundError for a missing object."""
        try:
            yield
        except HTTPError as error:
            raise self._silent() from error
        except MinioException as error:
            if sentence := self._sentence(error):
                raise sentence from error
            raise

    def _sentence(self, error: MinioException) -> Exception | None:
        status = _status(error)
        if "NoSuchBucket" in str(error):
            return self._no_bucket()
        if status == 404:
            return FileNotFoundError(str(error))
        if status == 403:
            return BadInput(
                f"The S3 endpoint {self._endpoint} refuses the credentials for bucket "
                f"{self._bucket!r}; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION."
            )
        if status is not None and status >= 500:
            return self._silent()
        return None

    def _silent(self) -> BadInput:
        return BadInput(
            f"The S3 endpoint {self._endpoint} does not answer as it should; check "
            "LIKENESS_S3_ENDPOINT and that the server is running."
        )

    def _no_bucket(self) -> BadInput:
        return BadInput(
            f"There is no bucket {self._bucket!r} at the S3 endpoint {self._endpoint}; "
            "create it, or name another in LIKENESS_STORE."
        )


class _Progress:
    """Bytes moved by all threads, as a log line every few seconds; the client's own protocol."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._done = 0
        self._start = self._said = time.monotonic()
        self._lock = threading.Lock()

    def set_meta(self, object_name: str, total_length: int) -> None:
        """Called by the client before each object; the total over all is known already."""

    def update(self, length: int) -> None:
        """Count ``length`` more bytes."""
        with self._lock:
            self._done += length
            now = time.monotonic()
            if self._done and now - self._said >= EVERY_SECONDS:
                self._said = now
                left = (now - self._start) / self._done * (self._total - self._done)
                megabytes = f"{self._done / 1e6:.1f} of {self._total / 1e6:.1f} MB"
                log.info("%s: %s, about %.0f s left", self._what, megabytes, left)


def _in_parallel(action: Callable[[FileEntry], None], files: list[FileEntry]) -> None:
    with ThreadPoolExecutor(PARALLEL) as pool:
        # reading the results raises the first error, which cancels what has not begun
        for _ in pool.map(action, files):
            pass


def _patiently(write: Callable[[], Answer]) -> Answer:
    """The answer of ``write``, repeated a few times where it may go well the next time."""
    for attempt in range(1, WRITE_ATTEMPTS):
        try:
            return write()
        except (HTTPError, MinioException) as error:
            if not _may_pass(error):
                raise
            time.sleep(2 ** (attempt - 1))
    return write()


def _may_pass(error: HTTPError | MinioException) -> bool:
    """Whether the same request may go well the next time; some are repeated already below us."""
    if isinstance(error, HTTPError):
        return not isinstance(error, MaxRetryError)
    status = _status(error)
    # an upload may have ended although its answer was lost, and is then no longer known
    return (status is not None and status >= 500) or "NoSuchUpload" in str(error)


def _status(error: MinioException) -> int | None:
    if isinstance(error, S3Error):
        return error.response.status
    if isinstance(error, InvalidResponseError):
        # what the client raises when errors come as text/xml; it shows the status nowhere else
        return error._code
    return error.status_code if isinstance(error, ServerError) else None


def _setting(name: str, what: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise BadInput(f"An s3:// store needs the environment variable {name}: {what}.")
    return value
