-- Categories, and the minutes of a default and of the longest stay at them.
(
        SELECT
            (
                groupArray(toString(category)),
                groupArray(toInt64(if(default_stay_minutes = 0, 60, default_stay_minutes))),
                groupArray(toInt64(if(max_stay_minutes = 0, 240, max_stay_minutes)))
            )
        FROM venue_categories FINAL
    ) AS known
