"""Evidence: observation, recorder, redaction, bundle, replay."""
