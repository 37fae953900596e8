"""The Postgres in which a team keeps runs and events: its address, and whether it answers.

Nothing of Dagster is imported, so that ``likeness doctor`` can look.
"""

from likeness.errors import BadInput

TIMEOUT = 10  # seconds until an address at which nobody answers is given up
EXAMPLE = "write it like postgresql://user@host:5432/name"


def parse_address(address: str) -> dict[str, str]:
    """The parts of ``LIKENESS_DATABASE`` as libpq reads them: user, host, port, dbname, ...

    Raises BadInput, which never repeats the address: what was meant as a password may stand
    anywhere in one that is wrong. The password itself comes from ``PGPASSWORD`` or ``~/.pgpass``.
    """
    import psycopg2
    from psycopg2.extensions import parse_dsn

    if not address.startswith("postgresql://"):
        raise BadInput(
            f"LIKENESS_DATABASE does not begin with postgresql://; {EXAMPLE}, "
            "or leave it empty: runs and events are then kept in the state folder."
        )
    try:
        parts: dict[str, str] = parse_dsn(address)
    except psycopg2.ProgrammingError:
        # its words repeat a part of the address
        raise BadInput(f"LIKENESS_DATABASE is no address of a Postgres; {EXAMPLE}.") from None
    if {"password", "sslpassword"} & set(parts):
        raise BadInput(
            "LIKENESS_DATABASE holds a password; set PGPASSWORD to it instead, "
            "which is shown nowhere."
        )
    if not parts.get("dbname"):
        raise BadInput(f"LIKENESS_DATABASE names no database; {EXAMPLE}.")
    if not parts.get("port", "5432").isdigit():
        raise BadInput(f"LIKENESS_DATABASE has a port that is no number; {EXAMPLE}.")
    return parts


def probe(address: str) -> str:
    """Connect once and say what answered, such as ``likeness at db:5432, Postgres 15.8``.

    Raises BadInput when the address is wrong or the server does not let us in.
    """
    import psycopg2

    parts = parse_address(address)
    try:
        connection = psycopg2.connect(address, connect_timeout=TIMEOUT)
    except psycopg2.Error as error:
        raise unusable(error) from error
    try:
        version = str(connection.get_parameter_status("server_version")).split()[0]
    finally:
        connection.close()
    place = f"{parts.get('host', 'this machine')}:{parts.get('port', '5432')}"
    return f"{parts['dbname']} at {place}, Postgres {version}"


def unusable(error: BaseException) -> BadInput:
    """The sentence for a database that does not do what it is asked; libpq names no password."""
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return BadInput(
        f"The database for runs and events (LIKENESS_DATABASE) cannot be used: {reason}. "
        "Check that it is running, its address, the user, and PGPASSWORD; then start this again, "
        "what is done is kept."
    )
