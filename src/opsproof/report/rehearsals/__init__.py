"""The report of a rehearsal: dr.md and dr.html, its timeline, its trend, and the notice to customers."""
