"""The exchange factor: amounts in the medium and counts in; uptake per cell and per new cell, their
gates, and whether uptake follows asparagine beyond growth out.
"""

from kit.exchange.rates import exchange_rate, growth_fit, two_point_rate

__all__ = ["exchange_rate", "growth_fit", "two_point_rate"]
