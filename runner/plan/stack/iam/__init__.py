"""What each role of a stack may do, and no more: derived from what its part calls.

In: `StackFacts`.  Out: `Statement`s, and the documents of policies that they fit into.
"""
