"""Is a canary good enough: promote, roll back, or say that it cannot be known. Pure: numbers in, a judgement out."""
