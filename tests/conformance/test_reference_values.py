"""Our value beside a published or independent one, with source and tolerance; each run rewrites
`reference_values.csv` beside this file.
"""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from kit import stats
from kit.calls import posterior
from kit.config.settings import Settings
from kit.flow.apoptosis import specific_death
from kit.plates import quality
from kit.plates.growth import gr_value
from kit.protocol import carryover

S = Settings()
FILE = Path(__file__).with_name("reference_values.csv")


def t_975(df):
    """Student t, 97.5 %: from the interval of two values 0 and 1 repeated, by our own interval
    code.
    """
    from kit.calls.calls import interval

    values = np.array([0.0] * (df // 2) + [1.0] * (df + 1 - df // 2))
    mean, low, _ = interval(values)
    return (mean - low) / (values.std(ddof=1) / math.sqrt(len(values)))


# quantity, source, expected, tolerance, ours
VALUES = [
    ("GR value of 1710, 1766, 492.8", "independent calculation, 12 digits", 0.965305500206, 1e-12, lambda: gr_value(1710, 1766, 492.8)),
    ("GR value of 2, 4, 1", "closed form sqrt(2) - 1", math.sqrt(2) - 1, 1e-12, lambda: gr_value(2, 4, 1)),
    ("GR at f 0.36 and two doublings", "closed form 2^(1 + log2(0.36)/2) - 1", 0.2, 1e-12, lambda: gr_value(0.36 * 4, 4, 1)),
    ("Z' of 100+-10 and 25+-2.5", "closed form", 0.5, 1e-12, lambda: quality.z_prime([90, 100, 110], [22.5, 25, 27.5])),
    ("SSMD of 100+-10 and 40+-5", "closed form 60 / sqrt(125)", 60 / math.sqrt(125), 1e-12, lambda: quality.ssmd([90, 100, 110], [35, 40, 45])),
    ("Dunnett two-sided, 4 comparisons, 8 df, 0.05", "Dunnett 1964 table", 3.02, 0.02, lambda: stats.dunnett_critical(4, 8)),
    ("Dunnett two-sided, 3 comparisons, 8 df, 0.05", "Dunnett 1964 table", 2.88, 0.01, lambda: stats.dunnett_critical(3, 8)),
    ("Dunnett two-sided, 1 comparison, 10 df, 0.05", "Student t table", 2.2281, 1e-4, lambda: stats.dunnett_critical(1, 10)),
    ("t interval factor, 2 df", "Student t table", 4.3027, 1e-4, lambda: t_975(2)),
    ("t interval factor, 5 df", "Student t table", 2.5706, 1e-4, lambda: t_975(5)),
    ("Carry-over, 378 uM, 10 uL left, 2 x 100 uL, 100 uL added", "mass balance by hand", 0.28400, 1e-5, lambda: carryover.residual_uM(378, 2, 10, 100, 100)),
    ("Carry-over, no wash, 10 uL left", "mass balance 378 * 10 / 110", 378 * 10 / 110, 1e-9, lambda: carryover.residual_uM(378, 0, 10, 100, 100)),
    ("Masked doublings of 0.284 uM in 110 uL, 10^4 cells, 33 fmol", "log2(1 + 0.0947)", 0.1304, 5e-4, lambda: carryover.masked_doublings(0.284, 110, 1e4, 33)),
    ("GR mask of 0.5 of 2 doublings", "closed form 2^0.25 - 1", 2**0.25 - 1, 1e-12, lambda: carryover.gr_mask(0.5, 2.0)),
    ("Specific death, 45 % against 5 %", "closed form 40 / 95", 40 / 95, 1e-12, lambda: specific_death([45.0], [5.0])[0]),
    ("Wilson lower limit, 15 of 148", "Newcombe 1998, Table I (0.0624)", 0.0624, 1e-4, lambda: stats.wilson_interval(15, 148, 0.95)[0]),
    ("Wilson upper limit, 15 of 148", "Newcombe 1998, Table I (0.1605)", 0.1605, 1e-4, lambda: stats.wilson_interval(15, 148, 0.95)[1]),
    ("Wilson half-width in points, 30 % of 10,000", "design table", 0.9, 0.05, lambda: 50 * np.ptp(stats.wilson_interval(3000, 10000, 0.95))),
    ("Wilson half-width in points, 30 % of 1,000", "design table", 2.8, 0.05, lambda: 50 * np.ptp(stats.wilson_interval(300, 1000, 0.95))),
    ("Fieller interval of 1 / 1, independent SD 0.1, large df: lower", "closed form (1 - z s sqrt(2 - z^2 s^2)) / (1 - z^2 s^2)", None, 1e-4, None),
    ("Spearman exact critical value, n 8", "exact table", 0.738, 5e-4, lambda: stats.spearman_critical(8)),
    ("Spearman exact critical value, n 10", "exact table", 0.648, 5e-4, lambda: stats.spearman_critical(10)),
    ("Spearman interval, rho -0.8, n 10: lower", "Bonett and Wright 2000 form", -0.96, 0.005, lambda: stats.spearman_interval(-0.8, 10)[0]),
    ("Spearman interval, rho -0.8, n 20: upper", "Bonett and Wright 2000 form", -0.50, 0.005, lambda: stats.spearman_interval(-0.8, 20)[1]),
    ("Minimum detectable effect, 3 blocks, SD 0.25, 5 groups", "design table", 0.57, 0.01, lambda: stats.minimum_detectable_effect(3, 5, 0.25, 4)),
    ("Minimum detectable effect, 6 blocks, SD 0.40, 5 groups", "design table", 0.58, 0.01, lambda: stats.minimum_detectable_effect(6, 5, 0.40, 4)),
    ("Moderated SD of 0.1, 0.3 with prior 0.1 on 4 df", "closed form sqrt(0.06 / 5)", math.sqrt(0.06 / 5), 1e-12, lambda: posterior.moderated_sd(np.array([0.1, 0.3]), 0.1, 4)[0]),
]  # fmt: skip


def fieller_lower():
    """1 / 1 with independent SD 0.1: (1 - sqrt(1 - (1 - t^2 s^2)^2)) / (1 - t^2 s^2), the root of
    (1 - r)^2 = t^2 s^2 (1 + r^2).
    """
    return stats.fieller_interval(1.0, 1.0, 0.01, 0.01, 0.0, 1e6, 0.95)


def rows():
    k = 1 - (1.959964 * 0.1) ** 2
    for quantity, source, expected, tolerance, ours in VALUES:
        if ours is None:
            yield (
                quantity,
                "root of (1 - r)^2 = z^2 s^2 (1 + r^2)",
                (1 - math.sqrt(1 - k**2)) / k,
                tolerance,
                float(fieller_lower().low),
            )
        else:
            yield quantity, source, expected, tolerance, float(ours())


@pytest.fixture(scope="module")
def table():
    found = list(rows())
    try:
        with FILE.open("w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["quantity", "source", "expected", "tolerance", "ours"])
            writer.writerows([*row[:4], f"{row[4]:.10g}"] for row in found)
    except OSError:
        pass  # a read-only checkout still tests
    return {row[0]: row for row in found}


@pytest.mark.parametrize("quantity", [row[0] for row in VALUES])
def test_value(table, quantity):
    _, source, expected, tolerance, ours = table[quantity]
    assert ours == pytest.approx(expected, abs=tolerance), source
