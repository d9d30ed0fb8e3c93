"""A run with Ray Data: texts are read, judged by actors and written, and what is written is counted.

Ray's checkpoints note which rows are written, so that a run that was interrupted, and is started again, judges the others. A row of
`files` holds its findings, so that they are written with it; the table `findings` is made of that one, and made anew where it was begun.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import ray
import ray.data
import ray.exceptions
from ray.data.checkpoint import CheckpointConfig

from torchlint.corpus import CorpusError
from torchlint.corpus.plan import Plan
from torchlint.corpus.sources import ROW_HASH, write_list
from torchlint.corpus.tables import DIAGNOSTICS, Judge, added_up, counted, exploded

FILES, FINDINGS = "files", "findings"
"""The tables that a run writes."""
BATCH = 32
"""Rows that an actor is given at once."""
_BESIDE = 2
"""Processors, as Ray counts them, that must be left beside the actors for what lists, reads, filters and writes."""


@contextmanager
def cluster(address: str | None, processors: int) -> Iterator[int]:
    """Ray: as it is, if this process is connected; at the address; or started here, for the time of the run. Yields how many actors fit.

    What Ray prints goes to standard error: standard output is for what the run came to.
    """
    with redirect_stdout(sys.stderr):
        if ray.is_initialized():
            yield _room()
            return
        _connect(address, processors)
        try:
            yield _room()
        finally:
            ray.shutdown()


def _room() -> int:
    """Actors that took every processor would wait forever for what they are to be given."""
    return max(1, int(ray.cluster_resources().get("CPU", 0)) - _BESIDE)


def _connect(address: str | None, processors: int) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a linter reports nothing to anybody
    address = address or os.environ.get("RAY_ADDRESS")
    try:
        if address:
            ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
        else:
            ray.init(
                address="local",
                num_cpus=processors + _BESIDE,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.WARNING,
            )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise CorpusError(f"Ray cannot be reached: {error}") from error


def run(plan: Plan, actors: int) -> dict[str, Any]:
    """Judge what is not judged yet, and count everything."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = sys.stderr.isatty()
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        _judge(plan, actors)
        _explode(plan)
        return _count(plan)
    except (ray.exceptions.RayError, OSError, pa.ArrowException) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise CorpusError(f"Ray Data failed: {reason} (the same command goes on where this ended)") from error


def _judge(plan: Plan, actors: int) -> None:
    reading, options = plan.reading, plan.options
    listing = plan.listing
    if reading.text is None:
        listing = write_list(listing, plan.record.filesystem, plan.record.path("listing.parquet"))
    rows = ray.data.read_parquet(listing.files, filesystem=listing.filesystem, partitioning=None, include_row_hash=plan.row == ROW_HASH)
    rows.context.checkpoint_config = CheckpointConfig(
        id_column=plan.row, checkpoint_path=f"{plan.folder}/checkpoint", delete_checkpoint_on_success=False
    )
    wanted = dict.fromkeys((*reading.carried, *(each for each in (reading.text, reading.path) if each is not None)))
    judged = (
        rows.select_columns(list(wanted))
        .repartition(target_num_rows_per_block=options.rows_per_block)
        .map_batches(
            Judge,
            fn_constructor_args=(reading, plan.standards),
            batch_format="pyarrow",
            batch_size=min(BATCH, options.rows_per_block),
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors),
            num_cpus=1,
        )
    )
    judged.write_parquet(f"{plan.folder}/{FILES}")
    if not plan.record.holds(FILES):
        raise CorpusError("there are no rows in the source")


def _explode(plan: Plan) -> None:
    carried = plan.reading.carried
    rows = _files(plan, [*carried, DIAGNOSTICS]).map_batches(exploded, fn_args=(carried,), batch_format="pyarrow")
    rows.write_parquet(f"{plan.folder}/{FINDINGS}", mode="overwrite")
    if not plan.record.holds(FINDINGS):  # Ray writes no empty files, and nobody can read a table that has none
        files = plan.record.filesystem
        none = pq.read_table(plan.record.holds(FILES)[0], filesystem=files).slice(0, 0)
        files.create_dir(plan.record.path(FINDINGS))
        pq.write_table(exploded(none, carried), plan.record.path(f"{FINDINGS}/none.parquet"), filesystem=files)


def _count(plan: Plan) -> dict[str, Any]:
    names = ["findings", "error", DIAGNOSTICS, *(["fixes"] if plan.standards.fix is not None else [])]
    counts = _files(plan, names).map_batches(counted, fn_args=(plan.options.applicable,), batch_format="pyarrow")
    return added_up(counts.take_all())


def _files(plan: Plan, columns: list[str]) -> Any:
    rows = ray.data.read_parquet(f"{plan.folder}/{FILES}", partitioning=None)
    rows.context.checkpoint_config = None
    return rows.select_columns(columns)
