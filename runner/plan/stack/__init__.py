"""The stack of an environment: one CloudFormation template, computed from values alone.

In: `StackFacts`.  Out: a template as JSON, the same for the same facts; and what a person wants to
read of the difference between two of them.  Data is never a resource (DESIGN 9).
"""
