"""All that knows HTTP: pages, the API, their errors, headers and audiences."""
