"""`python -m covls` is the `covls` command."""

from covls.cli.main import main

if __name__ == "__main__":
    main()
