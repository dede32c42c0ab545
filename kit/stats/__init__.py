"""Statistics of the kit: arrays in, numbers out, no files and no tables.

`intervals` bootstrap, Wilson, Fieller · `multiple` Dunnett, Holm, Benjamini–Hochberg · `blocks`
randomised complete blocks ·
`equivalence` two one-sided tests, detectable effect · `correlation` Pearson, Spearman · `dependent`
two correlations sharing a variable ·
`roc` area under the curve. Every function is proved by an independent route in tests/test_stats.py.
"""

from kit.stats.blocks import (
    BlockFit,
    Contrast,
    fit_blocks,
    one_sided_p,
    paired_contrast,
    t_interval,
    two_sided_p,
)
from kit.stats.correlation import (
    Correlation,
    LeaveOneOut,
    correlation_bca,
    fisher_interval,
    leave_one_out,
    partial_spearman,
    pearson,
    spearman,
    spearman_critical,
    spearman_exact_p,
    spearman_interval,
)
from kit.stats.dependent import Comparison, steiger_test, williams_test, zou_interval
from kit.stats.equivalence import (
    Tost,
    block_power,
    minimum_detectable_effect,
    tost,
    tost_paired,
    tost_power,
)
from kit.stats.intervals import (
    Fieller,
    Interval,
    bootstrap_interval,
    fieller_interval,
    pivotal_interval,
    wilson_interval,
)
from kit.stats.multiple import (
    benjamini_hochberg,
    dunnett_adjusted_p,
    dunnett_coverage,
    dunnett_critical,
    holm,
    spread_ratio_p,
)
from kit.stats.roc import Auc, auc

__all__ = [
    "Auc",
    "BlockFit",
    "Comparison",
    "Contrast",
    "Correlation",
    "Fieller",
    "Interval",
    "LeaveOneOut",
    "Tost",
    "auc",
    "benjamini_hochberg",
    "block_power",
    "bootstrap_interval",
    "correlation_bca",
    "dunnett_adjusted_p",
    "dunnett_coverage",
    "dunnett_critical",
    "fieller_interval",
    "fisher_interval",
    "fit_blocks",
    "holm",
    "leave_one_out",
    "minimum_detectable_effect",
    "one_sided_p",
    "paired_contrast",
    "partial_spearman",
    "pearson",
    "pivotal_interval",
    "spearman",
    "spearman_critical",
    "spearman_exact_p",
    "spearman_interval",
    "spread_ratio_p",
    "steiger_test",
    "t_interval",
    "tost",
    "tost_paired",
    "tost_power",
    "two_sided_p",
    "williams_test",
    "wilson_interval",
    "zou_interval",
]
