"""How are histories thinned while they stream? By the rule of ``analysis/thinning.py``, never a whole one in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from service.analysis.thinning import Extremes, positions, thin
from service.database.connection import Database
from service.database.tables import Job
from service.histories.blocks import BLOCK_ROWS, Block, Span, blocks, joined, rows_of_run


def thinned_blocks(
    database: Database, job: Job, spans: Sequence[Span], columns: Sequence[str], record_every: int, max_points: int
) -> Iterator[Block]:
    """Read spans as ``blocks`` does, each run's rows thinned to about ``max_points``.

    A run that does not fit into a block is read twice: to find its extremes, and to take the points that stay.
    """
    for span in joined(spans):
        if rows_of_run(span, record_every) <= BLOCK_ROWS:
            for block in blocks(database, job, [span], columns, record_every):
                yield thin_block(block, max_points)
            continue
        for run in range(span.first_run, span.end_run):
            of_run = [replace(span, first_run=run, end_run=run + 1)]
            extremes = [Extremes() for _ in columns]
            num_points = 0
            for block in blocks(database, job, of_run, columns, record_every):
                num_points += len(block)
                for extreme, values_N in zip(extremes, block.values_CN, strict=True):
                    extreme.add(values_N)
            chosen = positions(extremes, num_points, max_points)
            first = 0
            for block in blocks(database, job, of_run, columns, record_every):
                inside = chosen[(chosen >= first) & (chosen < first + len(block))] - first
                first += len(block)
                if len(inside):
                    yield block.take(inside)


def thin_block(block: Block, max_points: int) -> Block:
    """Thin each run of a block by itself."""
    chosen = [
        first + thin(list(block.values_CN[:, first:last]), last - first, max_points)
        if last - first > max_points
        else np.arange(first, last)
        for _, first, last in block.runs()
    ]
    kept = sum(len(positions_K) for positions_K in chosen)
    return block if kept == len(block) else block.take(np.concatenate(chosen))
