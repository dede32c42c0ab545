"""A planted truth and a seed in; experiments as folders, and operating characteristics of the
statistics, out.
"""
