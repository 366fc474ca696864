"""Which of the token owner's activities need not be fetched, because their projects gave them.

`/my/activity` lists the activities of all projects that the token's owner is a member of, so after
a first load there is usually nothing in it that is new.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from ingest.tables import TABLES


class ActivityCopy:
    """The rows of `activity` that a run has read, kept in a temporary file.

    Attributes:
        count: how many there are.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.count = 0
        self._schema = TABLES["my_activity"].arrow_schema
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the copy
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writer = pa.ipc.new_stream(self._file, self._schema, options=options)
        self._versions: dict[int, list[pa.Array]] = {}

    def add(self, rows: pa.Table) -> None:
        """Keep more rows."""
        self.count += rows.num_rows
        self._writer.write_table(rows.cast(self._schema))
        for project_id in pc.unique(rows["project_id"]).to_pylist():
            its = rows.filter(pc.equal(rows["project_id"], project_id))
            versions = its["project_version"].combine_chunks()
            self._versions.setdefault(project_id, []).append(versions)

    def without_known(self, rows: pa.Table) -> pa.Table:
        """Those of some rows that are not among the ones kept."""
        is_known = []
        for project_id, version in zip(
            rows["project_id"].to_pylist(), rows["project_version"].to_pylist(), strict=True
        ):
            versions = self._versions.get(project_id, [])
            is_known.append(any(pc.index(each, version).as_py() >= 0 for each in versions))
        return rows.filter(pc.invert(pa.array(is_known, pa.bool_())))

    def rows(self) -> Iterator[pa.Table]:
        """All rows that were kept, as rows of `my_activity`."""
        self._writer.close()
        self._file.seek(0)
        for batch in pa.ipc.open_stream(self._file):
            yield pa.Table.from_batches([batch])

    def close(self) -> None:
        """Forget the rows."""
        self._file.close()
