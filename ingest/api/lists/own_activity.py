"""Avoid reading the token owner's activities again if they were read from the projects' lists.

`/my/activity` lists the activities of all projects of which the token's owner is a member, so on a
first load it usually contains nothing new.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


class KnownActivities:
    """The activities that a run has read from the projects' lists.

    Attributes:
        count: their number.
        is_all_of_own: whether the token owner's list consists of these and of those that
            `without_known` returned.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.count = 0
        self.is_all_of_own = False
        self._versions: dict[int, list[pa.Array]] = {}

    def add(self, rows: pa.Table) -> None:
        """Add rows of `activity`."""
        self.count += rows.num_rows
        for project_id in pc.unique(rows["project_id"]).to_pylist():
            its = pc.equal(rows["project_id"], project_id)
            versions = rows["project_version"].filter(its).combine_chunks()
            self._versions.setdefault(project_id, []).append(versions)

    def without_known(self, rows: pa.Table) -> pa.Table:
        """The rows of `my_activity` that are not among the known activities."""
        is_known = []
        for project_id, version in zip(
            rows["project_id"].to_pylist(), rows["project_version"].to_pylist(), strict=True
        ):
            versions = self._versions.get(project_id, [])
            is_known.append(any(pc.index(each, version).as_py() >= 0 for each in versions))
        return rows.filter(pc.invert(pa.array(is_known, pa.bool_())))
