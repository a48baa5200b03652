-- Stays of cases as one constant of tuples, which settled_cases explains.
groupArray((
                person_token, place_key, begin, end, tail_until, point, carriage, row, dwell, case_begin, case_end, slots))
