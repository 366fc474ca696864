"""Whatever a host does, a load ends in time, uses little memory, and keeps all good records.

`python -m pytest tests/resilience/test_hosts.py -k "gzip or clock"` runs some of the behaviours.
"""

import pytest

from tests.support.host_check import findings, load_correct_rows
from tests.support.misbehaving import BEHAVIOURS


@pytest.fixture(scope="session")
def correct_rows(tmp_path_factory):
    return load_correct_rows(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=BEHAVIOURS.keys())
def test_a_load_from_a_misbehaving_host_ends_in_time_and_keeps_all_good_records(
    behaviour, tmp_path, correct_rows
):
    assert list(findings(behaviour, tmp_path, correct_rows)) == []
