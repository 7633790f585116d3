"""Labels of the server against offline references and what others use, by many measures."""
