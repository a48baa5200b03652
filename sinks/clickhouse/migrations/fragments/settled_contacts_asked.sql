-- What settled_contacts_of is asked, of one person, under a rule about venues or trips.
{{include:settled_asked_of_trips}},
    {{include:city_zone}},
    {{include:days_of_span}},
{{include:one_case_in_ms}}
