"""The rehearsal of a disaster: what is stored is verified, restored and taken over, by the clock and with a ledger."""
