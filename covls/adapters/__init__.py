"""One outside thing each: files, processes, configuration, the data itself."""
