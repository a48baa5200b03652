-- One person's scans, with a day before and after [since, until): no stay is longer than 24 h.
scans AS
(
    SELECT *, place
    FROM visits FINAL
    WHERE person_token = toFixedString(unhex({person_token:String}), 16)
        AND scanned_at >= {since:DateTime64(3, 'UTC')} - toIntervalHour(24)
        AND scanned_at <= {until:DateTime64(3, 'UTC')} + toIntervalHour(24)
)
