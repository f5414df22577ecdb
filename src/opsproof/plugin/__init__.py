"""The pytest plugin: options, marks, fixtures, engine, reporting. The only package that imports pytest."""

pytest_plugins = ["opsproof.plugin.hooks", "opsproof.plugin.fixtures"]
