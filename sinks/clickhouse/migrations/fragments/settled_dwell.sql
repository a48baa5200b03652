-- What the end of a settled stay rests on under the mode that is asked for.
if(ifNull({dwell:Nullable(String)}, 'best') = 'default', 'default', toString(dwell))
