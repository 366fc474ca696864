"""The files of an archive: zips, encodings, what each file is."""
