"""A machine that has run out of memory or disk, or lets nothing be written: one sentence for it."""

import errno

MEMORY = ("can't allocate memory", "cannot allocate memory", "out of memory", "failed to allocate")
DISK = ("no space left on device", "database or disk is full", "disk quota exceeded")
CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}


def shortage(error: BaseException) -> str | None:
    """What is lacking and what to do, in one sentence; None for every other error.

    Libraries say it in their own words and kinds of error, so their words are looked at too.
    """
    said = " ".join(str(error).split())
    if isinstance(error, MemoryError) or _says(said, MEMORY):
        detail = f" ({said[:200]})" if said else ""
        return (
            f"the memory of this machine did not suffice{detail}: end other programs, or take "
            "smaller batches or pictures"
        )
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or _says(said, DISK):
        return f"the disk is full ({said[:200]}): likeness store prune --delete, or make room"
    if isinstance(error, OSError) and error.errno in CLOSED:
        where = error.filename or "a file"
        return f"{where} cannot be written or read ({error.strerror}): check its rights and mount"
    return None


def _says(said: str, words: tuple[str, ...]) -> bool:
    return any(word in said.lower() for word in words)
