"""Export the published marts as Parquet, one file per mart: `python -m bi.export [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from bi.published import PublishedCopy, PublishedError
from ingest.run.settings import ROOT, SettingsError, marts_path


def export(copy: PublishedCopy, folder: Path) -> list[Path]:
    """Write each published table to `<folder>/<table>.parquet`, replacing existing files.

    Raises:
        OSError: if the folder is not writable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with copy.connect() as connection:
        for table in copy.tables(connection):
            path, new_path = folder / f"{table}.parquet", folder / f"{table}.parquet.new"
            connection.sql(f'select * from "{table}"').write_parquet(str(new_path))
            new_path.replace(path)
            written.append(path)
    return written


def main(arguments: list[str]) -> int:
    """Export to the given folder, by default `parquet/` in the repository."""
    if len(arguments) > 1 or any(each.startswith("-") for each in arguments):
        print("usage: python -m bi.export [FOLDER]", file=sys.stderr)
        return 2
    folder = (ROOT / (arguments[0] if arguments else "parquet")).resolve()
    try:
        written = export(PublishedCopy(marts_path()), folder)
    except (SettingsError, PublishedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (OSError, duckdb.Error) as error:
        print(f"error: {folder} cannot be written: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    print(f"Wrote {len(written)} Parquet files to {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
