"""What runs in the user's interpreter: standard library and coverage only, Python 3.9 and up."""
