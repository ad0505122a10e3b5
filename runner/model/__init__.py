"""The nouns of the project, and the ports: floor 0, imported by everything, importing nothing."""
