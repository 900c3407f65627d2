"""The command line: thin commands over a library, each printing a table or JSON."""
