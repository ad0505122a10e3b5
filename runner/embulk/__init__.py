"""(to be described by its first module)"""
