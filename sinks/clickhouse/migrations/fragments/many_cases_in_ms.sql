-- Many people, as those look at cases who count in ms since 1970.
    cases AS
    (
        SELECT
            toFixedString(unhex(arrayJoin({person_tokens:Array(String)})), 16) AS person_token,
            toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) AS case_begin,
            toUnixTimestamp64Milli({until:DateTime64(3, 'UTC')}) AS case_end
    ),
