"""Clean dlt's working folder, in which a killed run may have left incomplete files.

Only the run that has locked the warehouse may do this. The code depends on the folder layout of the
dlt version pinned in pyproject.toml; tests/resilience kills runs at each of these points.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from dlt.common.storages.load_package import PackageStorage

KEPT_PACKAGES = 5
_TEMPORARY_NAME = re.compile(r"[0-9a-f]{16}")  # dlt writes to a file of such a name and renames it


def tidy(working_folder: Path) -> None:
    """Remove incomplete files, and all but the latest loaded packages.

    dlt itself never removes an interrupted extract (`normalize/<random name>`) or a loaded package
    (`load/loaded`).
    """
    for folder in _folders(working_folder / "normalize"):
        if folder.name != "extracted":
            shutil.rmtree(folder, ignore_errors=True)
    load = working_folder / "load"
    for package in _folders(load / "normalized"):
        _restart(package, load / "loaded")
    for package in _folders(working_folder / "normalize" / "extracted"):
        # Already normalised: dlt was deleting it when it was killed, and could not read it again.
        if any((load / stage / package.name).is_dir() for stage in ("normalized", "loaded")):
            shutil.rmtree(package, ignore_errors=True)
    for package in sorted(_folders(load / "loaded"))[:-KEPT_PACKAGES]:
        shutil.rmtree(package, ignore_errors=True)
    for file in working_folder.rglob("*"):
        if _TEMPORARY_NAME.fullmatch(file.name) and file.is_file():
            file.unlink(missing_ok=True)


def _restart(package: Path, loaded: Path) -> None:
    """Reset a package that was being loaded, so that dlt loads it from the start.

    If a process is killed after committing a file to the staging dataset, but before dlt records
    that, dlt would load the file again, and its merge would insert every new row twice. On a load
    from the start dlt empties the staging tables first, and repeating a merge changes nothing.
    """
    if (package / PackageStorage.PACKAGE_COMPLETED_FILE_NAME).exists():
        package.rename(loaded / package.name)  # everything else was done
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
            merge.unlink()  # dlt creates it again once the table's files are loaded
    for note in (package / PackageStorage.PENDING_TRANSITIONS_FOLDER).glob("*"):
        note.unlink()


def _folders(parent: Path) -> list[Path]:
    return [each for each in parent.iterdir() if each.is_dir()] if parent.is_dir() else []
