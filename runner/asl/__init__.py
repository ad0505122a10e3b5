"""From a loaded project to an Amazon States Language definition, purely.

In: `Project`, a workflow, and the `Target` that names what the environment provides.  Out: the
definition's bytes, the same for the same input.  `compile_workflow` is the whole of it; only
`build` touches the Step Functions SDK.
"""
