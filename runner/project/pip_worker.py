"""pip for another machine than this one: run as a script, never imported by `runner`.

    python -P pip_worker.py <environment as JSON, or null> <pip's arguments>

pip chooses wheels for the platform that it is told, but reads markers such as
`python_version < "3.12"` with the Python that it runs on (https://github.com/pypa/pip/issues/11664):
a dependency that only the other one needs would be missing there.  So the markers' environment is
replaced.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Run pip with these arguments."""
    from pip._internal.cli.main import main as pip  # noqa: PLC0415 - a missing pip is told apart
    from pip._vendor.packaging import markers  # noqa: PLC0415

    environment = json.loads(sys.argv[1])
    if environment is not None:
        markers.default_environment = lambda: dict(environment)
    sys.exit(pip(sys.argv[2:]))


if __name__ == "__main__":
    main()
