"""The HTML report: `page` gathers its values, and the templates beside this package show them."""
