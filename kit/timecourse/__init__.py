"""Series of scans in; growth rates, the onset of an effect and its recovery out.

`rates` slopes of log2 signal · `onset` broken line on the difference to control · `recovery` rate
after add-back over control's · `scans` which scans count · `tables` an experiment's tables.
"""

from kit.timecourse.onset import Onset, find_onset
from kit.timecourse.rates import Rate, dip_rate, growth_rate
from kit.timecourse.recovery import recovery_class, recovery_share

__all__ = [
    "Onset",
    "Rate",
    "dip_rate",
    "find_onset",
    "growth_rate",
    "recovery_class",
    "recovery_share",
]
