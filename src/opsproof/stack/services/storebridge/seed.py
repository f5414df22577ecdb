"""The data that a fresh stack starts with: registrations of yesterday and today, most of them well."""

from __future__ import annotations

import psycopg

_PRODUCTS = """
    INSERT INTO products (domeggook_item_id, name, category, attributes, state)
    SELECT 'DG' || (100000 + n), '상품 ' || n, 'living', '{"origin": "KR"}', 'REGISTERED'
    FROM generate_series(1, 20) AS n ON CONFLICT (domeggook_item_id) DO NOTHING
"""
_JOBS = """
    INSERT INTO jobs (queue, status, created_at, started_at, completed_at)
    SELECT 'celery:batch', 'COMPLETED', moment, moment, moment
    FROM unnest(ARRAY[now(), now() - interval '1 day']) AS moment, generate_series(1, 5)
"""
# Of a hundred registrations 95 succeed, as the runbook's limits (above 85 %, fewer than 100 failures) leave room for.
_REGISTRATIONS = """
    INSERT INTO product_registrations (product_id, state, error_code, error_message, created_at)
    SELECT
        (SELECT id FROM products WHERE domeggook_item_id = 'DG' || (100001 + n % 20)),
        CASE WHEN n < 95 THEN 'COMPLETED' WHEN n < 98 THEN 'FAILED' ELSE 'MANUAL_REVIEW' END,
        (ARRAY['NAVER_503', 'NAVER_429', 'NAVER_400', 'FORBIDDEN_WORD', 'ATTRIBUTE_MISSING'])[n - 94],
        CASE WHEN n >= 95 THEN 'seeded' END,
        moment
    FROM unnest(ARRAY[now() - interval '1 day', now()]) AS moment, generate_series(0, 99) AS n
"""


def seed(connection: psycopg.Connection) -> None:
    """Write the rows once; a database that has registrations is left as it is."""
    row = connection.execute("SELECT EXISTS (SELECT FROM product_registrations)").fetchone()
    if row == (True,):
        return
    for statement in (_PRODUCTS, _JOBS, _REGISTRATIONS):
        connection.execute(statement)
