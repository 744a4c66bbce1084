"""``python -m kellgren``."""

from kellgren.cli import main

if __name__ == "__main__":
    main()
