"""What every reference service shares; a new system adds a folder beside this one and changes nothing here."""
