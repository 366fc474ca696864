"""What is known of a project beside its stories: settings, people, names."""
