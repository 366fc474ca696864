"""What is known about a project besides its stories: settings, people, names."""
