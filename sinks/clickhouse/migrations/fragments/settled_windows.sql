-- The exposure windows that are asked for, or all, in ms since 1970, each at the keys of its venue in settled_stays_by_place:
-- of those on no trip, and of those who boarded one there.
windows AS
    (
        SELECT
            window_id, toUnixTimestamp64Milli(starts_at) AS begin, toUnixTimestamp64Milli(ends_at) AS end,
            arrayJoin({{include:venue_keys}}) AS place_key
        FROM exposure_windows FINAL
        WHERE starts_at < ends_at AND ifNull(window_id = {window_id:Nullable(String)}, true)
    )
