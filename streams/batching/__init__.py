"""Faust delivers a fetched batch as one event. The one place that knows Faust's and aiokafka's insides."""
