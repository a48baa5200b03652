-- One person.
    cases AS
    (
        SELECT
            toFixedString(unhex({person_token:String}), 16) AS person_token,
            {since:DateTime64(3, 'UTC')} AS case_begin, {until:DateTime64(3, 'UTC')} AS case_end
    ),
