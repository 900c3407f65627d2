"""mediaflow keeps a media library searchable: one published snapshot behind every answer."""
