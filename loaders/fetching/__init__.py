"""Files from the two services that publish most of what is loaded here. It writes files; nothing here knows the store."""
