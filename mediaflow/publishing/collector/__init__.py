"""The collector: deletes what no snapshot that is kept, no reader and no plan can need, and nothing else.

Its modules are the steps of one run, in their order: which snapshots go (`choice`), the entry of the release log that
fences everybody off who looked before it and the deletion of what was marked (`condemn`), the versions and files of
tables (`versions`, `tables`), artifacts (`artifacts`), and small objects and caches (`rest`). `collector` runs them.
"""
