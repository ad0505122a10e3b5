"""A small project with one of everything that a deploy makes, for an account on the loopback."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from tests.support.aws import ACCOUNT, BUCKET, REGION

if TYPE_CHECKING:
    from pathlib import Path

LAST = "{type: date, format: yyyy-MM-dd, range: '2013-01-01,NOW+1DAYS'}"
SHOP = {
    "config.yaml": f"""
        project: shop
        timezone: Asia/Tokyo
        defaults: {{retry: {{max_attempts: 1, interval: 1s}}}}
        environments:
          local: {{engine: local, marts: {{main: {{engine: sqlite, path: .runner/mart.sqlite}}}}}}
          prod:
            engine: aws
            region: {REGION}
            account: "{ACCOUNT}"
            lake: s3://{BUCKET}/
            results: s3://results/
            loader: native
            network: {{subnets: [subnet-0a1b2c3d]}}
            tags: {{team: data}}
            marts:
              main:
                engine: mysql
                host: mart.example
                database: mart
                user: loader
                secret: arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:mart-AbCdEf
        """,
    "sql/raw/orders.sql": """
        /*---
        kind: ddl
        ---*/
        CREATE EXTERNAL TABLE raw.orders (n bigint, dt string) LOCATION 's3://inbox/orders/'
        """,
    "sql/staging/orders.sql": f"""
        /*---
        partition: {{dt: {LAST}}}
        ---*/
        SELECT n, dt FROM raw.orders WHERE dt BETWEEN '{{{{ start }}}}' AND '{{{{ end }}}}'
        """,
    "sql/marts/customers.sql": """
        /*---
        kind: ctas
        ---*/
        SELECT n FROM staging.orders
        """,
    "sql/marts/newest.sql": """
        /*---
        kind: view
        ---*/
        SELECT n FROM marts.customers
        """,
    "sql/marts/daily.sql": f"""
        /*---
        partition: {{dt: {LAST}}}
        load: {{mode: merge, keys: [dt]}}
        ---*/
        SELECT n, dt FROM staging.orders WHERE dt BETWEEN '{{{{ start }}}}' AND '{{{{ end }}}}'
        """,
    "lambdas/report/handler.py": '''
        """Tells what was published."""


        def handler(event, context):
            names = [one["name"] for one in event["results"] if one["status"] == "published"]
            return {"text": ", ".join(names), "start": event["start"]}
        ''',
    "workflows/daily.yaml": """
        schedule: {cron: "0 14 * * ? *", timezone: America/New_York}
        steps:
          tables: {type: tables}
          loads: {type: loads, needs: [tables]}
          report: {type: lambda, function: report, needs: [loads]}
          tell: {type: sns, topic: done, subject: Orders, message: All is written., needs: [report]}
        on_failure: {type: sns, topic: alerts}
        """,
    "workflows/arrivals.yaml": """
        triggers:
          landed:
            type: object
            bucket: inbox
            prefix: orders/
            suffix: .csv
            period: "dt={year}-{month}-{day}/"
        steps:
          tables: {type: tables, select: [raw.orders, staging.orders]}
        """,
}


def write_shop(root: Path) -> Path:
    """Write the project."""
    for name, text in SHOP.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), "utf-8")
    return root
