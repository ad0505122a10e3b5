"""One short function per use case; each returns values and prints nothing.

Everything that the command line does can be called from here:

    from pathlib import Path
    from runner.app.run import RunRequest, run

    run(RunRequest(Path("."), "daily", start="2013-01-01", end="2013-01-31"))

The modules are the use cases: `check`, `compiled`, `inspect`, `preview`, `run`, `scaffold`,
`status`.
"""
