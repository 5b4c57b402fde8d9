"""Who hears what, once. Pure: findings and what was announced before become notices, and notices words."""
