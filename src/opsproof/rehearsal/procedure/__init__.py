"""The procedure of a rehearsal: who acts, in which order, by which clock, and what is kept of it."""
