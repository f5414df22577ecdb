"""Is the service recovered at the other site: names, pools, cache, data, business, secrets, reach to the outside."""
