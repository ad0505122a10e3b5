"""Parts of AWS that are apart from each other: China, GovCloud and the others.

In: a Region.  Out: the partition that ARNs begin with, and the host of its console.
"""

from __future__ import annotations

_PARTITIONS = (
    ("cn-", "aws-cn", "console.amazonaws.cn"),
    ("us-gov-", "aws-us-gov", "console.amazonaws-us-gov.com"),
    ("eusc-", "aws-eusc", "console.amazonaws-eusc.eu"),
    ("us-iso-", "aws-iso", "console.c2shome.ic.gov"),
    ("us-isob-", "aws-iso-b", "console.sc2shome.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "console.csphome.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "console.csphome.hci.ic.gov"),
)
_COMMON = ("", "aws", "console.aws.amazon.com")


def partition_of(region: str) -> str:
    """Name the partition of a Region.

    >>> partition_of("eu-west-1"), partition_of("cn-north-1"), partition_of("us-gov-west-1")
    ('aws', 'aws-cn', 'aws-us-gov')
    """
    return _find(region)[1]


def console_host(region: str) -> str:
    """Name the host of a Region's console.

    >>> console_host("cn-north-1")
    'cn-north-1.console.amazonaws.cn'
    """
    return f"{region}.{_find(region)[2]}"


def _find(region: str) -> tuple[str, str, str]:
    return next((row for row in _PARTITIONS if region.startswith(row[0])), _COMMON)
