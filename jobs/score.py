"""Stands for a container: says what it was started with."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    print("score", os.environ["START"], os.environ["END"], *sys.argv[1:])
