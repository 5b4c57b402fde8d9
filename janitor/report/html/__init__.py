"""The HTML report: `page` collects its values, and the templates in `janitor/report/templates` show them."""
