"""Every benchmark, as the tables of README.md: python tests/benchmarks [--reports 20] [--baseline
5] [--counts 10,100,1000] [--stored 5000]

Takes long with the counts above. Ratios hold from machine to machine, seconds do not.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import answers
import batch
import scaling


def main() -> None:
    """Print the tables, each as soon as it is done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reports", type=int, default=20)
    parser.add_argument("--baseline", type=int, default=5)
    parser.add_argument("--counts", default="10,100,1000")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stored", type=int, default=5000)
    parser.add_argument("--source", type=Path, default=batch.SOURCE)
    given = parser.parse_args()
    print(
        f"Machine: {batch.machine()}.\n\n## Batch: `kit run` against papermill and nbconvert\n",
        flush=True,
    )
    batch.show(*batch.measure(given.reports, given.baseline, given.source))
    with tempfile.TemporaryDirectory() as held:
        print("\n## Growth with the number of reports\n")
        scaling.show_growth(
            [int(count) for count in given.counts.split(",")], given.workers, Path(held)
        )
        print(f"\n## Store of {given.stored:,} experiments\n")
        scaling.show_store(given.stored, Path(held))
    print(f"\n## Single steps\n\n{answers.HEAD}")
    for row in answers.rows(given.stored):
        print(row, flush=True)
    print(f"\n{batch.load()}")


if __name__ == "__main__":
    main()
