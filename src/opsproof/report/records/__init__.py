"""Records: documents that a person signs, made from a run; what only a person knows is a marked blank."""
