"""Wells treated with doses of an agent -> curves, their status, IC50 or EC50, and shifts.

Hands on `fit_curve` and `potency_ratio`; the tables come from `curves`, `shifts` and `split`.
"""

from kit.dose.curve import CurveFit, fit_curve, potency_ratio

__all__ = ["CurveFit", "fit_curve", "potency_ratio"]
