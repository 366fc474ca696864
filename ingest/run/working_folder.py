"""dlt's working folder after a kill: what is half done is undone, and what is over is removed.

Only whoever holds the warehouse may do this. It knows how dlt (pinned in pyproject.toml) lays its
folders out; tests/resilience kills it in each of these places.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from dlt.common.storages.load_package import PackageStorage

KEPT_PACKAGES = 5
_HALF_WRITTEN = re.compile(r"[0-9a-f]{16}")  # dlt writes a file under such a name, then renames it


def tidy(working_folder: Path) -> None:
    """Leave no half of anything, and only the latest of the packages that were loaded.

    dlt itself leaves the half of an extract in `normalize/<random name>` for ever, as every package
    that was ever loaded in `load/loaded`.
    """
    for folder in _folders(working_folder / "normalize"):
        if folder.name != "extracted":
            shutil.rmtree(folder, ignore_errors=True)
    load = working_folder / "load"
    for package in _folders(load / "normalized"):
        _begin_again(package, load / "loaded")
    for package in _folders(working_folder / "normalize" / "extracted"):
        # It was being deleted, as its normalised form is in place: no later run could read it.
        if any((load / stage / package.name).is_dir() for stage in ("normalized", "loaded")):
            shutil.rmtree(package, ignore_errors=True)
    for package in sorted(_folders(load / "loaded"))[:-KEPT_PACKAGES]:
        shutil.rmtree(package, ignore_errors=True)
    for file in working_folder.rglob("*"):
        if _HALF_WRITTEN.fullmatch(file.name) and file.is_file():
            file.unlink(missing_ok=True)


def _begin_again(package: Path, loaded: Path) -> None:
    """Let a package that was being loaded be loaded from its beginning.

    A process killed after a file was committed to the staging dataset, but before dlt had noted it,
    has that file loaded there twice, and its merge then inserts every new row twice. From the
    beginning means that dlt empties the staging tables first; merging again changes nothing.
    """
    if (package / PackageStorage.PACKAGE_COMPLETED_FILE_NAME).exists():
        package.rename(loaded / package.name)  # all was done but this
        return
    applied = package / PackageStorage.APPLIED_SCHEMA_UPDATES_FILE_NAME
    if applied.exists():
        applied.replace(package / PackageStorage.SCHEMA_UPDATES_FILE_NAME)
    new_jobs = package / PackageStorage.NEW_JOBS_FOLDER
    for state in (PackageStorage.STARTED_JOBS_FOLDER, PackageStorage.COMPLETED_JOBS_FOLDER):
        for job in (package / state).iterdir():
            job.replace(new_jobs / job.name)
    for kind in ("*.sql", "*.reference"):
        for merge in new_jobs.glob(kind):
            merge.unlink()  # dlt writes it anew when the table's files are loaded
    for note in (package / PackageStorage.PENDING_TRANSITIONS_FOLDER).glob("*"):
        note.unlink()


def _folders(parent: Path) -> list[Path]:
    return [each for each in parent.iterdir() if each.is_dir()] if parent.is_dir() else []
