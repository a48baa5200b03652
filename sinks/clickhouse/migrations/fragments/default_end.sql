scanned_at + toIntervalMinute(transform(toString(category), known.1, known.2, 60))
