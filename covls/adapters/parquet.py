"""A history as a table in Parquet, a row for each file of each run."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from covls.core.coverage import Totals
from covls.core.history import Run

_COUNTS: Final = tuple(each.name for each in fields(Totals) if each.name != "n_files")
_SCHEMA: Final = pa.schema(
    [
        ("run", pa.int32()),
        ("commit", pa.dictionary(pa.int32(), pa.string())),
        ("branch", pa.dictionary(pa.int32(), pa.string())),
        ("authored", pa.timestamp("us", "UTC")),
        ("recorded", pa.timestamp("us", "UTC")),
        ("flags", pa.dictionary(pa.int32(), pa.string())),
        ("path", pa.dictionary(pa.int32(), pa.string())),
        *((name, pa.int32()) for name in _COUNTS),
    ]
)


def write_parquet(path: Path, runs: Iterable[tuple[Run, Mapping[str, Totals]]]) -> None:
    """Write the counts of the files of some runs. Raises OSError."""
    counts = attrgetter(*_COUNTS)
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        for run, files in runs:
            n = len(files)
            columns = zip(*map(counts, files.values()), strict=True) if n else [()] * len(_COUNTS)
            about = (
                run.number,
                run.commit.id,
                run.commit.branch,
                run.commit.authored,
                run.recorded,
                ",".join(run.flags),
            )
            values = [*([value] * n for value in about), list(files), *map(list, columns)]
            arrays = [
                pa.array(column, field.type) for column, field in zip(values, _SCHEMA, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA))
