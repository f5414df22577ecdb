"""`python -m opsproof.stack.services.serve SYSTEM --port N` serves a reference service on 127.0.0.1."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from opsproof.stack.services.common.settings import Settings, SettingsError, Variables


def main() -> int:
    """Serve until a signal ends the process; 2 if a setting is wrong."""
    parser = argparse.ArgumentParser(prog="serve", description="Serve a reference service on 127.0.0.1.")
    parser.add_argument("system", help="ingest, evaluation, ...")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    try:
        asyncio.run(_serve(arguments.system, arguments.port))
    except SettingsError as error:
        sys.stderr.write(f"serve {arguments.system}: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


async def _serve(name: str, port: int) -> None:
    import uvicorn

    from opsproof.stack.services.common.app import build_app
    from opsproof.stack.services.common.defects import DefectsFile
    from opsproof.stack.services.common.logs import configure_logging
    from opsproof.stack.services.common.protocol import Protocol
    from opsproof.stack.services.common.services import load_system

    system = load_system(name)
    variables = Variables(os.environ)
    settings = Settings.read(name, variables)
    options = system.configure(variables)
    defects = DefectsFile(settings.defects_file)
    configure_logging(settings, defects)
    config = uvicorn.Config(
        build_app(system, settings, options, defects, port),
        host="127.0.0.1",
        port=port,
        http=Protocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    sys.exit(main())
