"""Read project histories as activities and transitions."""
