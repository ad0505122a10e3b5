"""Grok patterns as regular expressions: what GrokSerDe's `input.format` means.

In: the format and the custom patterns of a table.  Out: a regular expression for RE2, whose only
groups are the named captures, and their names in order.  The library is that of the AWS Glue
guide's "Writing custom classifiers", without the look-arounds that RE2 does not have.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from runner.local.athena.errors import AthenaFailure

_LIBRARY = r"""
USERNAME [a-zA-Z0-9._-]+
USER %{USERNAME}
INT [+-]?[0-9]+
BASE10NUM [+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
NUMBER %{BASE10NUM}
BASE16NUM [+-]?(?:0x)?[0-9A-Fa-f]+
POSINT \b[1-9][0-9]*\b
NONNEGINT \b[0-9]+\b
WORD \b\w+\b
NOTSPACE \S+
SPACE \s*
DATA .*?
GREEDYDATA .*
QUOTEDSTRING "(?:\\.|[^\\"]+)*"|'(?:\\.|[^\\']+)*'
QS %{QUOTEDSTRING}
UUID [A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}
MAC (?:[A-Fa-f0-9]{2}[:-]){5}[A-Fa-f0-9]{2}|(?:[A-Fa-f0-9]{4}\.){2}[A-Fa-f0-9]{4}
IPV6 (?:[0-9A-Fa-f]{0,4}:){2,7}(?:%{IPV4}|[0-9A-Fa-f]{0,4})(?:%\S+)?
OCTET 25[0-5]|2[0-4][0-9]|[0-1]?[0-9]{1,2}
IPV4 (?:%{OCTET})\.(?:%{OCTET})\.(?:%{OCTET})\.(?:%{OCTET})
IP %{IPV6}|%{IPV4}
HOSTNAME \b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*\.?
HOST %{HOSTNAME}
IPORHOST %{HOSTNAME}|%{IP}
HOSTPORT %{IPORHOST}:%{POSINT}
PATH %{UNIXPATH}|%{WINPATH}
UNIXPATH (?:/[\w_%!$@:.,~-]*)+
TTY /dev/(?:pts|tty(?:[pq])?)(?:\w+)?/?(?:[0-9]+)
WINPATH (?:[A-Za-z]+:|\\)(?:\\[^\\?*]*)+
URIPROTO [A-Za-z]+(?:\+[A-Za-z+]+)?
URIHOST %{IPORHOST}(?::%{POSINT})?
URIPATH (?:/[A-Za-z0-9$.+!*'(){},~:;=@#%_-]*)+
URIPARAM \?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]-]*
URIPATHPARAM %{URIPATH}(?:%{URIPARAM})?
URI %{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?
MONTH \b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|%{MONTHS_2}|%{MONTHS_3})\b
MONTHS_2 June?|July?|Aug(?:ust)?|Sep(?:tember)?
MONTHS_3 Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?
MONTHNUM 0?[1-9]|1[0-2]
MONTHNUM2 0[1-9]|1[0-2]
MONTHDAY 0[1-9]|[12][0-9]|3[01]|[1-9]
DAY Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|%{DAYS_2}
DAYS_2 Sat(?:urday)?|Sun(?:day)?
YEAR (?:\d\d){1,2}
HOUR 2[0123]|[01]?[0-9]
MINUTE [0-5][0-9]
SECOND (?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?
TIME %{HOUR}:%{MINUTE}(?::%{SECOND})?
DATE_US %{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}
DATE_EU %{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}
DATESTAMP_US %{DATE_US}[- ]%{TIME}
DATESTAMP_EU %{DATE_EU}[- ]%{TIME}
ISO8601_TIMEZONE Z|[+-]%{HOUR}(?::?%{MINUTE})
ISO8601_SECOND %{SECOND}|60
TIMESTAMP_ISO8601 %{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}%{ISO_REST}
ISO_REST (?::?%{SECOND})?%{ISO8601_TIMEZONE}?
DATE %{DATE_US}|%{DATE_EU}
DATESTAMP %{DATE}[- ]%{TIME}
TZ [PMCE][SD]T|UTC
CISCOTIMESTAMP %{MONTH} +%{MONTHDAY}(?: %{YEAR})? %{TIME}
SYSLOGTIMESTAMP %{MONTH} +%{MONTHDAY} %{TIME}
PROG [\w._/%-]+
SYSLOGPROG %{PROG:program}(?:\[%{POSINT:pid}\])?
SYSLOGHOST %{IPORHOST}
SYSLOGFACILITY <%{NONNEGINT:facility}.%{NONNEGINT:priority}>
HTTPDATE %{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}
SYSLOGBASE %{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGFROM}:
SYSLOGFROM %{SYSLOGHOST:logsource} %{SYSLOGPROG}
LOGLEVEL [Aa]lert|ALERT|[Tt]race|TRACE|[Dd]ebug|DEBUG|%{LEVELS_2}|%{LEVELS_3}
LEVELS_2 [Nn]otice|NOTICE|[Ii]nfo|INFO|[Ww]arn(?:ing)?|WARN(?:ING)?|[Ee]rr(?:or)?|ERR(?:OR)?
LEVELS_3 [Cc]rit(?:ical)?|CRIT(?:ICAL)?|[Ff]atal|FATAL|[Ss]evere|SEVERE|EMERG(?:ENCY)?
"""
_REFERENCE = re.compile(r"%\{\s*(\w+)\s*(?::\s*(\w+)\s*)?(?::\s*\w+\s*)?\}")
_GROUP = re.compile(r"\\.|\[(?:\\.|\[:\w+:\]|[^\]\\])*\]|\((?!\?)|\(\?<(\w+)>", re.DOTALL)
_MOST_DEPTH = 20


class Grok(NamedTuple):
    """A regular expression and the names of its groups."""

    pattern: str
    names: tuple[str, ...]


def compile_grok(text: str, custom: str = "") -> Grok:
    r"""Translate a format; raises AthenaFailure for a pattern that nobody defined.

    >>> compile_grok("%{WORD:verb} %{C:rest}", "C [a-z]+")
    Grok(pattern='(\\b\\w+\\b) ([a-z]+)', names=('verb', 'rest'))
    """
    known = dict(_definitions(_LIBRARY)) | dict(_definitions(custom))
    marked = _expand(text, known, 0)
    names: list[str] = []

    def group(match: re.Match[str]) -> str:
        if match[1]:
            names.append(match[1].lower())
            return "("
        return "(?:" if match[0] == "(" else match[0]

    return Grok(_GROUP.sub(group, marked), tuple(names))


def _definitions(text: str) -> list[tuple[str, str]]:
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition(" ") for line in lines if line)
    return [(name, pattern.strip()) for name, _, pattern in pairs]


def _expand(text: str, known: dict[str, str], depth: int) -> str:
    if depth > _MOST_DEPTH:
        raise AthenaFailure("HIVE_BAD_DATA", "The Grok patterns refer to themselves")

    def expand(match: re.Match[str]) -> str:
        name, capture = match.groups()
        if name not in known:
            raise AthenaFailure("HIVE_BAD_DATA", f"No definition for Grok pattern '{name}' found")
        inner = _expand(known[name], known, depth + 1)
        if capture:
            return f"(?<{capture}>{inner})"
        return f"(?:{inner})" if "|" in inner else inner

    return _REFERENCE.sub(expand, text)
