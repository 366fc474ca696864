"""What every run needs: settings, a log, a summary and a clean working folder."""
