"""Tests. A package, so that its name wins over a dependency that installs one called tests."""
