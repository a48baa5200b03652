-- How and when the settled stays of those ended who may have met a case of `near`, and where they are read.
{{include:settled_rows_at_near}}
            WHERE scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
                AND scanned_at < {until:DateTime64(3, 'UTC')}
