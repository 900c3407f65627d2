"""From bytes to rows: subtitles, probing, and one decode pass that leaves shots and frames."""
