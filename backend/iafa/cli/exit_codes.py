"""Exit codes of every command; 0 is done."""

FAILED = 1
WRONG_USAGE = 2
