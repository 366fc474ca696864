"""Which of the token owner's activities need not be fetched, because their projects gave them.

`/my/activity` lists the activities of all projects that the token's owner is a member of, so after
a first load there is usually nothing in it that is new.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


class KnownActivities:
    """Which activities a run has read of their projects.

    Attributes:
        count: how many there are.
        is_all_of_own: the token owner's own list has no others, but those that it was read for.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.count = 0
        self.is_all_of_own = False
        self._versions: dict[int, list[pa.Array]] = {}

    def add(self, rows: pa.Table) -> None:
        """Take note of more rows."""
        self.count += rows.num_rows
        for project_id in pc.unique(rows["project_id"]).to_pylist():
            its = pc.equal(rows["project_id"], project_id)
            versions = rows["project_version"].filter(its).combine_chunks()
            self._versions.setdefault(project_id, []).append(versions)

    def without_known(self, rows: pa.Table) -> pa.Table:
        """Those of some rows that are not among them."""
        is_known = []
        for project_id, version in zip(
            rows["project_id"].to_pylist(), rows["project_version"].to_pylist(), strict=True
        ):
            versions = self._versions.get(project_id, [])
            is_known.append(any(pc.index(each, version).as_py() >= 0 for each in versions))
        return rows.filter(pc.invert(pa.array(is_known, pa.bool_())))
