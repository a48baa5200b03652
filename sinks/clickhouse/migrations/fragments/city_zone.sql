-- The city's time zone, in which calendar days begin.
(SELECT if(any(value) = '', 'Asia/Shanghai', any(value)) FROM city_settings FINAL WHERE name = 'timezone') AS zone
