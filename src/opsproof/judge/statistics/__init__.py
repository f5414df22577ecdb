"""Shares, quantiles and sampled numbers with bounds that are right whatever the distribution."""
