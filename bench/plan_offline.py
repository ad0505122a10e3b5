"""Does the offline part of `plan` in the folder of a project, or the floor beside which it stands.

In: the working directory, an environment `prod` on AWS.  Out: nothing; exit status 1 with
`--unchanged` if the plan finds a change.  What is compared with is kept in `deployed/` by
`--deploy`; no account is asked.

    python bench/plan_offline.py --deploy   # take what the files say as what is deployed
    python bench/plan_offline.py [--unchanged]  # compile, make the template, compare
    python bench/plan_offline.py --floor    # hash the files and the definitions, read the template
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

ENVIRONMENT = "prod"
DEPLOYED = Path("deployed")


def main() -> int:
    """Do what the words say."""
    if "--floor" in sys.argv:
        return floor()
    from runner.app.bundle import open_bundle  # noqa: PLC0415 - the floor imports none of it
    from runner.app.desired import desired  # noqa: PLC0415 - as above
    from runner.plan.stack.difference import Side, compare  # noqa: PLC0415 - as above
    from runner.plan.stack.limits import text_of  # noqa: PLC0415 - as above
    from runner.plan.stack.manifest import read_manifest, write_manifest  # noqa: PLC0415 - as above

    root = Path.cwd()
    wanted = desired(root, open_bundle(root, ENVIRONMENT))
    if "--deploy" in sys.argv:
        definitions = {one.name: one.definition for one in wanted.facts.machines}
        DEPLOYED.mkdir(exist_ok=True)
        (DEPLOYED / "definitions.json").write_text(json.dumps(definitions))
        (DEPLOYED / "template.json").write_text(text_of(wanted.template))
        (DEPLOYED / "manifest.json").write_text(write_manifest(wanted.manifest))
    template = json.loads((DEPLOYED / "template.json").read_bytes())
    manifest = read_manifest((DEPLOYED / "manifest.json").read_text())
    old, new = Side(template, manifest), Side(wanted.template, wanted.manifest)
    changes = compare(old, new).changes
    return 1 if changes and "--unchanged" in sys.argv else 0


def floor() -> int:
    """Do what cannot be left out, whatever is remembered: look at every file, read every text."""
    for folder in ("sql", "workflows"):
        for path in sorted(Path(folder).rglob("*.*")):
            hashlib.sha256(path.read_bytes()).hexdigest()
    for text in json.loads((DEPLOYED / "definitions.json").read_bytes()).values():
        hashlib.sha256(text.encode()).hexdigest()
    for name in ("template", "manifest"):
        json.loads((DEPLOYED / f"{name}.json").read_bytes())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
