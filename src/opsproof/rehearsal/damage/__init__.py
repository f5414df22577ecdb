"""Damage of every kind that a rehearsal must notice, done to copies; one module for each thing that is damaged."""
