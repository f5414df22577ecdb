"""A benchmark after it ran: what was measured, its histograms, and what its gates say of them."""
