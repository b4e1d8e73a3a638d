"""`python -m iafa` and the `iafa` command."""

from iafa.cli.app import main

if __name__ == "__main__":
    main()
