"""The clock of a rehearsal, the ledger of what was acknowledged meanwhile, and what both of them prove."""
