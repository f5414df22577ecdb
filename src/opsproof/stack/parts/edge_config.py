"""What nginx is told to do at the edge."""

import grp
import pwd
from collections.abc import Mapping
from dataclasses import dataclass

PROBE_PATH = "/.edge"
"""Answered with 204 by nginx itself."""


@dataclass(frozen=True)
class Hop:
    """
    One way to stand before an API.

    Args:
        variable: What stands between INGEST_EDGE and _URL in the variable with its address.
        buffered: Whether nginx takes a whole body before it passes it on; else it passes on what comes.
        limit: Its limit for a body, as a multiple of the API's.
    """

    variable: str
    buffered: bool
    limit: float

    @property
    def suffix(self) -> str:
        """What distinguishes the name of its port."""
        return self.variable.lower().replace("_", "-")


HOPS = (
    Hop("", buffered=True, limit=1),
    Hop("_STREAMING", buffered=False, limit=1),
    Hop("_ABOVE", buffered=True, limit=16),
    Hop("_ABOVE_STREAMING", buffered=False, limit=16),
    Hop("_BELOW", buffered=True, limit=0.5),
)


@dataclass(frozen=True)
class EdgeDefects:
    """
    What the edge does wrong.

    Args:
        limit: Bytes that it takes where it should have the API's limit; 0 for no limit anywhere; None for no defect.
        page: It refuses with its own HTML page.
        no_request_id: Its own refusals lack the id of the request.
        reset: It resets the connection instead of refusing.
    """

    limit: int | None = None
    page: bool = False
    no_request_id: bool = False
    reset: bool = False


_MAIN = """\
daemon off;
worker_processes 1;
pid nginx.pid;
{user}error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path bodies;
    proxy_temp_path answers;
    fastcgi_temp_path unused;
    uwsgi_temp_path unused;
    scgi_temp_path unused;
    log_format json escape=json '{{"time":"$time_iso8601","port":$server_port,"protocol":"$server_protocol",'
        '"method":"$request_method","path":"$uri","status":$status,"bytes_in":$request_length,"bytes_out":$bytes_sent,'
        '"seconds":$request_time,"upstream_status":"$upstream_status","request_id":"$id"}}';
    access_log access.log json;
    server_tokens off;
    default_type text/plain;
    client_header_timeout 5s;
    client_body_timeout 5s;
    lingering_time 2s;
    lingering_timeout 1s;
    map $http_x_request_id $id {{ "~^[\\w.:-]{{1,128}}$" $http_x_request_id; default $request_id; }}
    map $uri $shown_path {{ "~^[\\w/.~-]*$" $uri; default ""; }}
    upstream app {{ server {app}; keepalive 8; }}
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header Connection "";
    proxy_set_header X-Request-Id $id;
    proxy_connect_timeout 2s;
    proxy_read_timeout 15s;
{servers}}}
"""
_SERVER = """\
    server {{
        listen {address};
        http2 on;
        client_max_body_size {limit};
        proxy_request_buffering {buffering};
        location / {{ proxy_pass http://app; }}
        location = {probe} {{ access_log off; return 204; }}
{refusal}    }}
"""
_REFUSAL = """\
        error_page 413 @too_large;
        location @too_large {{
            default_type application/json;
            {answer_id}
            return 413 '{body}';
        }}
"""
_BODY = (
    '{{"error": {{"error_id": "$request_id", "code": "PAYLOAD_TOO_LARGE", "message": "the body is over the limit of '
    '{limit} bytes", "path": "$shown_path", "method": "$request_method", "request_id": "{id}"}}}}'
)
_RESET = """\
        reset_timedout_connection on;
        error_page 413 @nothing;
        location @nothing { return 444; }
"""


def configuration(
    *, app: str, addresses: Mapping[Hop, str], limit: int, user: tuple[int, int] | None, defects: EdgeDefects
) -> str:
    """
    The text of nginx.conf.

    Args:
        app: Where the API listens.
        addresses: Where each hop listens.
        limit: The API's limit for a body, in bytes.
        user: (uid, gid) of the worker; None keeps the caller's.
        defects: What is to be wrong.
    """
    named = f"user {pwd.getpwuid(user[0]).pw_name} {grp.getgrgid(user[1]).gr_name};\n" if user else ""
    return _MAIN.format(
        user=named,
        app=app,
        servers="".join(_server(hop, address, limit, defects) for hop, address in addresses.items()),
    )


def _server(hop: Hop, address: str, limit: int, defects: EdgeDefects) -> str:
    own = int(limit * hop.limit)
    if defects.limit is not None and (defects.limit == 0 or hop.limit == 1):
        own = defects.limit
    return _SERVER.format(
        address=address,
        limit=own,
        buffering="on" if hop.buffered else "off",
        probe=PROBE_PATH,
        refusal=_refusal(own, defects),
    )


def _refusal(limit: int, defects: EdgeDefects) -> str:
    if defects.page:
        return ""
    if defects.reset:
        return _RESET
    known = not defects.no_request_id
    answer_id = "add_header X-Request-Id $id always;" if known else ""
    return _REFUSAL.format(answer_id=answer_id, body=_BODY.format(limit=limit, id="$id" if known else ""))
