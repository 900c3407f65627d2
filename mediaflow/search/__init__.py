"""Search over one published snapshot.

`query` is what can be asked and `results` what comes back; `gateway` answers from one snapshot, and `engine` from the
current one. On its way a question goes through `process` (from what is sent to the query model), `titles` (which
titles it is about, and who may see which), `route` (what tables are asked), `searchers` (one file for each way to
find rows) and `post` (clauses combined, fused, ordered, shown); `views` and `scores` are further forms and orders of an
answer, a file each. `reading` gives what is there without a search.
"""
