"""The watch of a canary: ask for its numbers and the baseline's, judge them look by look, and keep what was seen."""
