"""The parts of the HTML page: a module a part, `page` puts them together."""
