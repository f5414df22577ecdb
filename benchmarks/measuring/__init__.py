"""The parts of a benchmark: a local server, peers, how a run is measured, the table."""
