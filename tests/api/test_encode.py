import json
import math
from typing import Any

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from toggl_pulse.api.encode import Times, datapoints

INSTANTS = st.integers(0, 4_102_444_800_000)


@given(values=arrays.arrays(np.float64, st.integers(0, 30)), data=st.data())
def test_datapoints_are_the_same_as_by_plain_python(values: Any, data: st.DataObject) -> None:
    times = np.array(data.draw(st.lists(INSTANTS, min_size=len(values), max_size=len(values))), np.int64)
    plain = [
        [value if math.isfinite(value) else None, time]
        for value, time in zip(values.tolist(), times.tolist(), strict=True)
    ]

    assert json.dumps(plain) == json.dumps(orjson.loads(datapoints(values, times, Times())))


def test_times_are_made_once_for_series_that_share_them() -> None:
    times, shared = Times(), np.array([1, 2], np.int64)

    assert times.tails(shared) is times.tails(shared)
    assert [b",3],["] == times.tails(np.array([3], np.int64))


def test_a_row_of_a_table_of_values_need_not_be_contiguous() -> None:
    cells = np.arange(6, dtype=np.float64).reshape(2, 3)

    assert b"[[1.0,7],[4.0,8]]" == datapoints(cells[:, 1], np.array([7, 8], np.int64), Times())
