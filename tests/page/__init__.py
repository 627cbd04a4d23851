"""Tests of the page of a history."""
