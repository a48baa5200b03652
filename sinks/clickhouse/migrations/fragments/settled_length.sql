-- Length of a settled stay in ms under the mode that is asked for.
if(ifNull({dwell:Nullable(String)}, 'best') = 'default', default_minutes * 60000, stay_ms)
