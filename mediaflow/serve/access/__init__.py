"""Who may ask, for which titles and how much: keys, the door that reads them, limits on rates, and the audit trail."""
