"""The profile: models, loading, overlays, secrets, schema."""
