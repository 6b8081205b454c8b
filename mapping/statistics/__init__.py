"""Pure functions on numbers: no store, no wards, no words."""

from mapping.statistics.apportionment import apportion, shares_of
from mapping.statistics.rates import poisson_interval, rate_a_year

__all__ = ["apportion", "poisson_interval", "rate_a_year", "shares_of"]
