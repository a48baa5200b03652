-- Categories and the minutes of a stay at them.
(
        SELECT (groupArray(toString(category)), groupArray(if(default_stay_minutes = 0, 60, default_stay_minutes)))
        FROM venue_categories FINAL
    ) AS known
