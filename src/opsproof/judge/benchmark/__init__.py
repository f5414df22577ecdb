"""Does a benchmark hold its gates: pass, fail, or cannot be known. Pure: numbers in, a judgement out."""
