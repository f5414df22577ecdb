"""Windows: the checks of a run sampled again and again, until a stretch of time has been unbroken green."""
